"""One voice as notes: synthetic tones whose notes are known, whole and in pieces."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tatumflow.engine.errors import SettingError
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.note_tracking.dynamics import Dynamics
from tatumflow.engine.note_tracking.monophonic import MonophonicTracker
from tatumflow.engine.note_tracking.pitch_frame import PitchFrame
from tatumflow.engine.note_tracking.segmentation import NoteSegmenter, SegmentationSettings
from tatumflow.engine.note_tracking.stream import sane
from tatumflow.engine.note_tracking.timeline import Timeline
from tatumflow.engine.note_tracking.tracker import NoteTracker

RATE = 16_000
FRAME = 0.016
NEAR = 0.05

Samples = NDArray[np.float32]
Events = list[NoteOn | NoteOff]


@pytest.fixture(scope="module")
def tracker() -> MonophonicTracker:
    """Every test ends with `finish`, so that the next finds it as new."""
    return MonophonicTracker()


def rest(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def tone(
    pitch: NDArray[np.float64] | float, seconds: float, *, partials: int = 12, gain: float = 0.25
) -> Samples:
    """Return a tone of so many partials, falling as a sawtooth's do, with 8 ms of attack and of release."""
    count = round(seconds * RATE)
    hertz = 440 * 2 ** ((np.broadcast_to(pitch, count) - 69) / 12)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    wave = sum(
        (np.sin(k * phase) / k * (k * hertz < RATE / 2) for k in range(1, partials + 1)),
        start=np.zeros(count),
    )
    edge = np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.008 * RATE)
    return (gain * wave * np.minimum(edge, 1)).astype(np.float32)


def line(pitches: Sequence[float], seconds: float, gap: float = 0.0, **kind: float) -> Samples:
    """Return tones one after the other."""
    parts = [part for pitch in pitches for part in (tone(pitch, seconds, **kind), rest(gap))]  # pyright: ignore[reportArgumentType]
    return np.concatenate(parts)


def hear(
    tracker: NoteTracker, samples: Samples, start: float = 0.0, blocks: Sequence[int] = (512,)
) -> Events:
    events: Events = []
    at = number = 0
    while at < len(samples):
        part = samples[at : at + blocks[number % len(blocks)]]
        events += tracker.push(part, start + at / RATE)
        at, number = at + len(part), number + 1
    return events + tracker.finish(start + at / RATE)


def begun(events: Events) -> list[NoteOn]:
    return [event for event in events if isinstance(event, NoteOn)]


def pitches(events: Events) -> list[int]:
    return [note.pitch for note in begun(events)]


def check_order(events: Events) -> None:
    """Notes begin and end by turns, in time."""
    times = [event.time for event in events]
    assert times == sorted(times)
    for number, event in enumerate(events):
        assert isinstance(event, NoteOn if number % 2 == 0 else NoteOff)
    for on, off in zip(events[::2], events[1::2], strict=True):
        assert on.pitch == off.pitch


@pytest.mark.parametrize("partials", [1, 12], ids=["sine", "sawtooth"])
def test_notes_have_their_pitches_and_times(tracker: MonophonicTracker, partials: int):
    played = [55, 60, 64, 67, 72, 76, 79, 84]
    events = hear(tracker, np.concatenate([rest(0.3), line(played, 0.25, partials=partials)]), start=100.0)
    check_order(events)
    assert pitches(events) == played
    for number, note in enumerate(begun(events)):
        assert note.time == pytest.approx(100.3 + 0.25 * number, abs=NEAR)
    assert events[-1].time == pytest.approx(100.3 + 0.25 * len(played), abs=2 * NEAR)


def test_fast_notes_are_separate(tracker: MonophonicTracker):
    played = [60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65]
    events = hear(tracker, np.concatenate([rest(0.3), line(played, 0.1), rest(0.2)]))
    assert pitches(events) == played


def test_an_event_comes_as_soon_as_the_tracker_says(tracker: MonophonicTracker):
    samples = np.concatenate([rest(0.3), tone(62, 0.5)])
    for at in range(0, len(samples), 160):
        events = tracker.push(samples[at : at + 160], at / RATE)
        if events:
            assert 0.3 < (at + 160) / RATE <= 0.3 + tracker.latency + NEAR
            break
    else:
        pytest.fail("the note was never reported")
    tracker.finish(1.0)


@pytest.mark.parametrize("depth", [0.3, 0.6])
def test_vibrato_does_not_split_a_note(tracker: MonophonicTracker, depth: float):
    time = np.maximum(np.arange(round(1.5 * RATE)) / RATE - 0.2, 0)
    swaying = tone(67 + depth * np.sin(2 * np.pi * 5.5 * time), 1.5)
    assert pitches(hear(tracker, np.concatenate([rest(0.2), swaying]))) == [67]


def test_a_scooped_note_is_the_one_it_is_scooped_to(tracker: MonophonicTracker):
    pitch = np.interp(np.arange(round(0.4 * RATE)) / RATE, [0.0, 0.08], [68.9, 70.0])
    events = hear(tracker, np.concatenate([rest(0.2), tone(73, 0.3), tone(pitch, 0.4)]))
    assert pitches(events) == [73, 70]


def test_a_glide_goes_from_its_first_note_to_its_last(tracker: MonophonicTracker):
    pitch = np.interp(np.arange(round(1.0 * RATE)) / RATE, [0.4, 0.6], [60.0, 65.0])
    events = hear(tracker, np.concatenate([rest(0.2), tone(pitch, 1.0)]))
    check_order(events)
    assert pitches(events)[0] == 60
    assert pitches(events)[-1] == 65
    assert len(pitches(events)) <= 3
    assert all(60 <= pitch <= 65 for pitch in pitches(events))


def test_octaves_that_are_played_are_transcribed(tracker: MonophonicTracker):
    events = hear(tracker, np.concatenate([rest(0.2), line([55, 67, 55, 79, 67], 0.3)]))
    assert pitches(events) == [55, 67, 55, 79, 67]


def test_repeated_notes_begin_again(tracker: MonophonicTracker):
    events = hear(tracker, np.concatenate([rest(0.2), line([62] * 5, 0.2, gap=0.03)]))
    check_order(events)
    assert pitches(events) == [62] * 5
    for number, note in enumerate(begun(events)):
        assert note.time == pytest.approx(0.2 + 0.23 * number, abs=NEAR)


@pytest.mark.parametrize("gain", [0.02, 0.2, 1.0])
def test_the_level_of_the_microphone_does_not_matter(tracker: MonophonicTracker, gain: float):
    events = hear(tracker, np.concatenate([rest(0.2), line([60, 64, 67], 0.3)]) * np.float32(gain))
    assert pitches(events) == [60, 64, 67]
    assert [note.velocity for note in begun(events)] == pytest.approx([80, 80, 80], abs=4)


def test_silence_and_a_trace_of_noise_are_no_notes(tracker: MonophonicTracker):
    assert hear(tracker, rest(1.0)) == []
    noise = np.random.default_rng(0).normal(0, 10 ** (-65 / 20), RATE).astype(np.float32)
    assert hear(tracker, noise) == []


def test_clipping_does_not_change_the_notes(tracker: MonophonicTracker):
    samples = np.concatenate([rest(0.2), line([60, 64, 67], 0.3)])
    assert pitches(hear(tracker, samples * np.float32(40))) == [60, 64, 67]


def test_what_is_not_finite_is_silence(tracker: MonophonicTracker):
    samples = np.concatenate([rest(0.2), line([60, 64, 67], 0.4)])
    broken = samples.copy()
    broken[round(0.4 * RATE) : round(0.5 * RATE)] = np.nan
    broken[round(0.75 * RATE)] = np.inf
    events = hear(tracker, broken)
    check_order(events)
    assert all(math.isfinite(event.time) for event in events)
    assert list(dict.fromkeys(pitches(events))) == [60, 64, 67]
    assert hear(tracker, np.full(RATE // 2, np.nan, np.float32)) == []
    np.testing.assert_array_equal(
        sane(np.array([np.nan, np.inf, -np.inf, 3, -0.5], np.float32)), [0, 0, 0, 1, -0.5]
    )


@pytest.mark.parametrize("blocks", [(37, 1, 4000), (256,), (100_000,)])
def test_blocks_of_any_size_give_the_same_notes(tracker: MonophonicTracker, blocks: tuple[int, ...]):
    samples = np.concatenate([rest(0.2), line([60, 62, 62, 70], 0.2, gap=0.02)])
    whole, pieces = hear(tracker, samples), hear(tracker, samples, blocks=blocks)
    assert len(whole) == 8
    for one, other in zip(whole, pieces, strict=True):
        assert (type(one), one.pitch) == (type(other), other.pitch)
        assert one.time == pytest.approx(other.time, abs=1e-6)


def test_a_gap_in_time_ends_what_sounds(tracker: MonophonicTracker):
    first = tracker.push(np.concatenate([rest(0.2), tone(60, 0.4)]), 10.0)
    assert pitches(first) == [60]
    events = tracker.push(tone(67, 0.4), 20.0) + tracker.finish(20.4)
    check_order(first + events)
    assert isinstance(events[0], NoteOff)
    assert events[0].time == pytest.approx(10.6, abs=NEAR)
    assert pitches(events) == [67]
    assert begun(events)[0].time == pytest.approx(20.0, abs=NEAR)


def test_finishing_when_nothing_sounds_gives_no_event(tracker: MonophonicTracker):
    assert tracker.finish(3.0) == []
    assert tracker.push(rest(0), 3.0) == []
    assert tracker.finish(4.0) == []


def frames(
    pitches: Sequence[float], *, confidence: float = 1.0, attacks: Sequence[int] = ()
) -> list[PitchFrame]:
    return [
        PitchFrame(
            number * FRAME,
            pitch,
            confidence,
            level=-24.0 if number + 1 in attacks else -20.0,
            attack=0.5 if number in attacks else 0.0,
        )
        for number, pitch in enumerate(pitches)
    ]


def segmented(voice: Sequence[PitchFrame], settings: SegmentationSettings | None = None) -> Events:
    segmenter = NoteSegmenter(settings)
    events = [event for frame in voice for event in segmenter.push(frame)]
    return events + segmenter.finish(len(voice) * FRAME)


@pytest.mark.parametrize("leap", [12, -12, 19, 24])
def test_a_moment_on_another_partial_is_no_note(leap: int):
    assert pitches(segmented(frames([60] * 20 + [60 + leap] * 4 + [60] * 20))) == [60]


def test_an_octave_with_an_attack_is_a_note_at_once():
    voice = frames([60] * 20 + [72] * 4 + [60] * 20, attacks=(20, 24))
    assert pitches(segmented(voice)) == [60, 72, 60]


def test_an_attack_begins_the_same_pitch_again_only_where_it_gets_louder():
    assert pitches(segmented(frames([60] * 30, attacks=(15,)))) == [60, 60]
    flat = [PitchFrame(f.time, f.pitch, 1.0, -20.0, f.attack) for f in frames([60] * 30, attacks=(15,))]
    assert pitches(segmented(flat)) == [60]


def test_an_octave_that_lasts_is_a_note():
    assert pitches(segmented(frames([60] * 20 + [72] * 10))) == [60, 72]


def test_what_lasts_too_short_is_no_note():
    assert pitches(segmented(frames([60] * 10 + [63] * 2 + [60] * 10))) == [60]
    assert segmented(frames([60] * 2)) == []


def test_a_tone_out_of_tune_does_not_waver_between_two_notes():
    assert len(pitches(segmented(frames([60.45, 60.55] * 20)))) == 1


def test_confidence_has_to_rise_higher_than_it_may_fall():
    sure, less = frames([60] * 10), frames([60] * 10, confidence=0.4)
    assert pitches(segmented(less)) == []
    assert len(segmented([*sure, *less])) == 2


def test_a_note_that_has_died_away_ends():
    loud = frames([60] * 10)
    soft = [PitchFrame((10 + i) * FRAME, 60, 1.0, -53.0, 0.0) for i in range(8)]
    events = segmented([*loud, *soft])
    assert len(events) == 2
    assert events[1].time == pytest.approx(10 * FRAME)


def test_a_pitch_that_is_slid_to_must_last_longer():
    slide = [60.0] * 10 + [60.3, 60.6, 60.9]
    assert pitches(segmented(frames([*slide, *[61.0] * 3, 60.6, 60.2, *[60.0] * 10]))) == [60]
    assert pitches(segmented(frames([*slide, *[61.0] * 10]))) == [60, 61]


def test_settings_out_of_range_are_refused():
    with pytest.raises(SettingError, match="confidence"):
        SegmentationSettings(begin_confidence=0.2, hold_confidence=0.3)
    with pytest.raises(SettingError, match="at least 1"):
        SegmentationSettings(new_frames=0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([40.0, 59.6, 60.0, 60.4, 61.0, 72.0, 84.0]),
            st.floats(0, 1),
            st.floats(-90, 0),
            st.floats(0, 1),
        ),
        max_size=60,
    )
)
def test_any_frames_give_notes_one_after_the_other(voice: list[tuple[float, float, float, float]]):
    events = segmented([PitchFrame(number * FRAME, *values) for number, values in enumerate(voice)])
    check_order(events)
    assert all(1 <= note.velocity <= 127 for note in begun(events))


def test_velocities_go_around_the_middle_by_loudness():
    dynamics = Dynamics()
    assert dynamics.velocity(-60) == 80
    for _ in range(40):
        assert dynamics.velocity(-60) == 80
    assert dynamics.velocity(-48) > 110
    assert dynamics.velocity(-75) < 45
    assert dynamics.velocity(100) == 127
    assert dynamics.velocity(-300) == 1


def test_a_timeline_follows_a_clock_that_runs_otherwise():
    timeline = Timeline(100)
    assert timeline.end is None
    for block in range(50):
        timeline.add(100, 5.0 + 1.01 * block)
    assert timeline.count == 5000
    assert timeline.at(49.5) == pytest.approx(5.0 + 1.01 * 49 + 0.5)
    assert timeline.at(45.0) == pytest.approx(5.0 + 1.01 * 45)
    assert timeline.end == pytest.approx(5.0 + 1.01 * 49 + 1.0)

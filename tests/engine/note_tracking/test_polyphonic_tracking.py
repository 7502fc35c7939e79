"""Many voices as notes: synthetic chords whose notes are known, whole and in pieces."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from tatumflow.engine.errors import SettingError
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.note_tracking.basic_pitch import HOP, KeysFrame
from tatumflow.engine.note_tracking.polyphonic import KeysSegmenter, KeysSettings, PolyphonicTracker

RATE = 22_050
FRAME = HOP / RATE
NEAR = 0.05

Samples = NDArray[np.float32]
Events = list[NoteOn | NoteOff]


@pytest.fixture(scope="module")
def tracker() -> PolyphonicTracker:
    """Every test ends with `finish`, so that the next finds it as new."""
    return PolyphonicTracker()


def chord(pitches: Sequence[int], seconds: float) -> Samples:
    """Return struck strings: partials that fall and die away."""
    time = np.arange(round(seconds * RATE)) / RATE
    wave = np.zeros(len(time))
    for pitch in pitches:
        hertz = 440 * 2 ** ((pitch - 69) / 12)
        for k in range(1, 9):
            wave += np.sin(2 * np.pi * k * hertz * time) / k**2.5 * np.exp(-2 * k**0.5 * time)
    edge = np.minimum(np.minimum(time, time[::-1]) / 0.004, 1)
    return (0.12 * wave * edge).astype(np.float32)


def hear(tracker: PolyphonicTracker, samples: Samples, block: int = 441) -> Events:
    events: Events = []
    for at in range(0, len(samples), block):
        events += tracker.push(samples[at : at + block], 50 + at / RATE)
    return events + tracker.finish(50 + len(samples) / RATE)


def check_pairs(events: Events) -> None:
    """Every note ends, once, after it began; times do not go back."""
    assert [event.time for event in events] == sorted(event.time for event in events)
    sounding: set[int] = set()
    for event in events:
        if isinstance(event, NoteOn):
            assert event.pitch not in sounding
            sounding.add(event.pitch)
        else:
            sounding.remove(event.pitch)
    assert not sounding


def test_chords_have_their_pitches_and_times(tracker: PolyphonicTracker):
    chords = [(48, 55, 64), (53, 57, 60), (43, 59, 65)]
    rest = np.zeros(RATE // 4, np.float32)
    events = hear(tracker, np.concatenate([rest, *(x for p in chords for x in (chord(p, 0.6), rest)), rest]))
    check_pairs(events)
    for number, pitches in enumerate(chords):
        begin = 50.25 + 0.85 * number
        found = {e.pitch for e in events if isinstance(e, NoteOn) and abs(e.time - begin) <= NEAR}
        assert found >= set(pitches)
    assert sum(isinstance(event, NoteOn) for event in events) <= 9 + 2, "now and then an overtone"


def test_blocks_of_any_size_give_the_same_notes(tracker: PolyphonicTracker):
    samples = np.concatenate([np.zeros(4000, np.float32), chord((60, 64, 67), 0.5), chord((62, 65), 0.5)])
    whole, pieces = hear(tracker, samples, len(samples)), hear(tracker, samples, 997)
    assert len(whole) >= 10
    assert [(type(e), e.pitch) for e in whole] == [(type(e), e.pitch) for e in pieces]
    assert [e.time for e in whole] == pytest.approx([e.time for e in pieces], abs=1e-6)


def test_silence_and_what_is_not_finite_are_no_notes(tracker: PolyphonicTracker):
    assert hear(tracker, np.zeros(RATE // 2, np.float32)) == []
    assert hear(tracker, np.full(RATE // 2, np.nan, np.float32)) == []


def frames(
    count: int, onsets: dict[int, int], sounds: dict[int, range], level: float = -20.0
) -> list[KeysFrame]:
    """Return frames in which keys begin, by frame, and sound, by key."""
    made = [
        KeysFrame(number * FRAME, np.zeros(88, np.float32), np.zeros(88, np.float32), level)
        for number in range(count)
    ]
    for number, key in onsets.items():
        made[number].begins[key] = 0.9
    for key, numbers in sounds.items():
        for number in numbers:
            made[number].sounds[key] = 0.8
    return made


def segmented(keys: list[KeysFrame]) -> Events:
    segmenter = KeysSegmenter()
    events = [event for frame in keys for event in segmenter.push(frame)]
    return events + segmenter.finish(len(keys) * FRAME)


def test_a_key_begins_with_its_onset_and_ends_when_it_no_longer_sounds():
    on, off = segmented(frames(60, {10: 39}, {39: range(11, 30)}))
    assert (on.pitch, on.time) == (60, pytest.approx(10 * FRAME))
    assert (off.pitch, off.time) == (60, pytest.approx(29 * FRAME))


def test_a_key_struck_again_ends_first():
    events = segmented(frames(70, {10: 39, 30: 39}, {39: range(10, 50)}))
    check_pairs(events)
    assert [event.time for event in events] == pytest.approx([10 * FRAME, 30 * FRAME, 30 * FRAME, 49 * FRAME])


def test_an_onset_without_a_sound_or_too_soft_is_no_note():
    assert segmented(frames(40, {10: 39}, {})) == []
    assert segmented(frames(40, {10: 39}, {39: range(10, 30)}, level=-70.0)) == []


def test_a_short_hole_does_not_end_a_key():
    keys = frames(60, {10: 39}, {39: range(10, 50)})
    for number in range(20, 25):
        keys[number].sounds[39] = 0
    assert len(segmented(keys)) == 2


def test_settings_out_of_range_are_refused():
    with pytest.raises(SettingError, match="likelihoods"):
        KeysSettings(begins=1.5)
    with pytest.raises(SettingError, match="silence"):
        KeysSettings(silence_frames=0)

"""Hearing the player's beat: the causal tracker, and the clock that follows it."""

from dataclasses import replace
from importlib.resources import as_file, files

import numpy as np
import pytest

from tatumflow.engine.beats.features import FEATURES, FRAME_RATE, onset_features
from tatumflow.engine.beats.filter import BeatFilter
from tatumflow.engine.beats.network import BeatNetwork, BeatNetworkShape, read_with_extra
from tatumflow.engine.beats.tracker import (
    WEIGHTS_FILE,
    BeatTracker,
    Confidence,
    TrackerState,
    bundled_tracker,
)
from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import HeardBeat
from tatumflow.engine.midi.events import NoteOn
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.tempo.listening import COAST, BeatFollower
from tatumflow.engine.tempo.timekeeper import Timekeeper

ONSETS_ARE_BEATS = BeatNetworkShape(channels=1, dilations=(1,), causal=True, delay=1)


def network(shape: BeatNetworkShape = ONSETS_ARE_BEATS) -> BeatNetwork:
    """A network to which every onset is a beat, and every low one a downbeat too."""
    stem = np.zeros((3, FEATURES, 2), dtype=np.float32)
    stem[1, FEATURES - 1, 0] = 1
    stem[1, :6, 1] = 1
    head = np.array([[7.0, 0.0], [0.0, 7.0]], dtype=np.float32)
    weights = {"stem.weight": stem, "stem.bias": np.zeros(2, np.float32)}
    for index in range(len(shape.dilations)):
        weights[f"wide.{index}.weight"] = np.zeros((5, 2, 2), np.float32)
        weights[f"wide.{index}.bias"] = np.zeros(2, np.float32)
        weights[f"mix.{index}.weight"] = np.zeros((2, 2), np.float32)
        weights[f"mix.{index}.bias"] = np.zeros(2, np.float32)
    weights |= {"head.weight": head, "head.bias": np.full(2, -3.0, np.float32)}
    return BeatNetwork(replace(shape, channels=2), weights)


def tracker() -> BeatTracker:
    return BeatTracker(network(), Confidence((0.3, 3.0, -3.0, 4.0, 0.0, 0.0), -3.0))


def random_network(seed: int = 0) -> BeatNetwork:
    random = np.random.default_rng(seed)
    shape = BeatNetworkShape(channels=4, dilations=(1, 2, 4), causal=True, delay=2)
    sizes = {"stem": (3, FEATURES, 4), "head": (4, 2)}
    for index in range(3):
        sizes |= {f"wide.{index}": (5, 4, 4), f"mix.{index}": (4, 4)}
    weights = {}
    for name, size in sizes.items():
        weights[f"{name}.weight"] = random.normal(0, 0.4, size).astype(np.float32)
        weights[f"{name}.bias"] = random.normal(0, 0.4, size[-1]).astype(np.float32)
    return BeatNetwork(shape, weights)


def play(tracked: BeatTracker, onsets: np.ndarray, state: TrackerState | None = None) -> TrackerState:
    state = state or tracked.begin(float(onsets[0]) - 0.5)
    for index, onset in enumerate(onsets.tolist()):
        state = tracked.add_note(tracked.advance(state, onset), onset, 36 if index % 4 == 0 else 60)
    return tracked.advance(state, float(onsets[-1]))


@pytest.mark.parametrize("tempo", [60.0, 95.0, 140.0, 220.0])
def test_tracker_locks_onto_a_metronome_within_eight_beats(tempo: float) -> None:
    tracked = tracker()
    onsets = 100.0 + np.arange(8) * 60 / tempo
    state = tracked.advance(play(tracked, onsets), onsets[-1] + 0.2)
    found = tracked.estimate(state)
    assert found is not None
    assert found.tempo == pytest.approx(tempo, rel=0.03)
    phase = (found.time - 100.0) * tempo / 60
    assert abs(phase - round(phase)) * 60 / tempo < 0.04
    assert found.confidence > 0.6


def test_tracker_counts_beats_and_finds_the_downbeat() -> None:
    tracked = tracker()
    onsets = 3.0 + np.arange(24) * 0.5
    state = tracked.advance(play(tracked, onsets), onsets[-1] + 0.2)
    found = tracked.estimate(state)
    assert found is not None
    # The bass notes are the onsets 0, 4, 8 and so on; the last onset, the 23rd, is the bar's fourth beat.
    last = found.beat + round((onsets[-1] - found.time) / 0.5)
    assert last % 4 == 3


def test_random_onsets_are_trusted_less_than_steady_ones() -> None:
    tracked = tracker()
    random = np.random.default_rng(0)
    steady = play(tracked, np.arange(40) * 0.4)
    loose = play(tracked, np.cumsum(random.uniform(0.1, 1.4, 40)))
    sure, unsure = tracked.estimate(steady), tracked.estimate(loose)
    assert sure is not None
    assert unsure is not None
    assert unsure.confidence < 0.35 < 0.6 < sure.confidence


def test_streaming_through_the_network_equals_the_whole() -> None:
    causal = random_network()
    features = np.random.default_rng(1).random((90, FEATURES), dtype=np.float32)
    whole = causal.activations(features)
    state, parts = causal.begin(), []
    begun = [array.copy() for array in state.inputs]
    for first, last in ((0, 1), (1, 5), (5, 5), (5, 40), (40, 90)):
        before = state
        state, part = causal.advance(state, features[first:last])
        parts.append(part)
        assert before is not state
    for array, was in zip(causal.begin().inputs, begun, strict=True):
        np.testing.assert_array_equal(array, was)
    np.testing.assert_allclose(np.concatenate(parts)[2:], whole[:-2], atol=1e-6)


def test_notes_that_come_one_by_one_give_what_they_give_together() -> None:
    tracked = BeatTracker(random_network(), Confidence((0.0,) * 6, 0.0))
    random = np.random.default_rng(2)
    onsets = 10 + np.cumsum(random.uniform(0.02, 0.5, 30))
    onsets[20:] += 4.0
    slow = tracked.begin(float(onsets[0]) - 0.5)
    for index, onset in enumerate(onsets.tolist()):
        slow = tracked.add_note(slow, onset, 36 if index % 4 == 0 else 60)
    slow = tracked.advance(slow, float(onsets[-1]))
    often = tracked.begin(float(onsets[0]) - 0.5)
    for index, onset in enumerate(onsets.tolist()):
        for time in np.arange(often.frame / FRAME_RATE, onset, 0.013):
            often = tracked.advance(often, float(time))
        often = tracked.add_note(often, onset, 36 if index % 4 == 0 else 60)
    often = tracked.advance(often, float(onsets[-1]))
    np.testing.assert_allclose(often.activations, slow.activations, atol=1e-6)
    np.testing.assert_allclose(often.filter.starts, slow.filter.starts, atol=1e-4)
    assert often.frame == slow.frame


def test_states_are_left_as_they_are() -> None:
    tracked = tracker()
    state = play(tracked, np.arange(10) * 0.5)
    starts, frame = state.filter.starts.copy(), state.frame
    one = tracked.advance(state, 6.0)
    other = tracked.advance(state, 6.0)
    np.testing.assert_array_equal(state.filter.starts, starts)
    assert state.frame == frame
    np.testing.assert_array_equal(one.filter.starts, other.filter.starts)


def test_beat_goes_on_through_a_silence() -> None:
    tracked = tracker()
    onsets = np.arange(16) * 0.5
    state = tracked.advance(play(tracked, onsets), onsets[-1] + 8.0)
    again = play(tracked, 16.0 + np.arange(3) * 0.5, state)
    found = tracked.estimate(again)
    assert found is not None
    assert found.tempo == pytest.approx(120.0, rel=0.03)


def test_a_late_note_counts_in_the_next_frame() -> None:
    tracked = tracker()
    state = tracked.advance(tracked.begin(0.0), 1.0)
    state = tracked.add_note(state, 0.5, 60)
    assert state.onsets[-1] >= 0.98 - 1 / FRAME_RATE


def test_filter_follows_a_tempo_that_changes() -> None:
    beat_filter = BeatFilter()
    state, time, gains = beat_filter.begin(), 0.3, np.full(6000, -0.8)
    period = 0.5
    while time < 58:
        gains[int(time * 100)] = 4.0
        period = min(period * 1.01, 0.7)
        time += period
    state = beat_filter.advance(state, gains[:5800])
    assert beat_filter.likeliest(state).period == pytest.approx(0.7, rel=0.04)


def test_network_for_live_playing_must_be_causal() -> None:
    with pytest.raises(ValueError, match="causal"):
        BeatTracker(network(replace(ONSETS_ARE_BEATS, causal=False)), Confidence((0.0,) * 6, 0.0))


def follow(follower: BeatFollower, onsets: np.ndarray) -> list[bool]:
    jumps = []
    for index, onset in enumerate(onsets.tolist()):
        while (look := follower.next_look) is not None and look < onset:
            jumps.append(follower.advance(look))
        follower.add_note(onset, 36 if index % 4 == 0 else 60, 64)
    return jumps


def test_follower_takes_the_beat_up_once_and_lets_it_go_in_rubato() -> None:
    follower = BeatFollower(tracker(), 0.0)
    steady = 1.0 + np.arange(40) * 0.5
    assert sum(follow(follower, steady)) == 1
    assert follower.clock is not None
    assert follower.clock.tempo == pytest.approx(120, rel=0.02)
    assert follower.clock.beat(steady[-1]) % 4 == pytest.approx(3, abs=0.15)
    random = np.random.default_rng(1)
    jumps = follow(follower, steady[-1] + np.cumsum(random.uniform(0.1, 1.4, 40)))
    assert any(jumps)
    assert follower.clock is None or follower.confidence < 0.6


def test_follower_coasts_while_the_player_rests_and_then_lets_go() -> None:
    follower = BeatFollower(tracker(), 0.0)
    steady = 1.0 + np.arange(24) * 0.5
    follow(follower, steady)
    clock = follower.clock
    assert clock is not None
    for rest in range(1, 20):
        assert not follower.advance(steady[-1] + rest)
    assert follower.clock is not None
    assert abs(follower.clock.beat(40.0) - clock.beat(40.0)) < 0.3
    assert follower.advance(steady[-1] + COAST)
    assert follower.clock is None
    assert follower.next_look is None


def test_bars_are_traded_on_the_beat_of_the_playing() -> None:
    clock = VirtualClock()
    timekeeper = Timekeeper(
        Scheduler(lambda _: None, clock), Controls(clock="listen", trade_bars=4), 0.0, tracker
    )
    assert not timekeeper.in_tempo
    assert timekeeper.trading is None
    assert timekeeper.heard == HeardBeat(confidence=0.0, tempo=None)
    jumped = []
    for index, time in enumerate((1.0 + np.arange(16) * 0.5).tolist()):
        jumped += [timekeeper.listen(time - 0.4 + 0.1 * step) for step in range(5)]
        timekeeper.add_note(NoteOn(time, 36 if index % 4 == 0 else 60, 64))
    assert sum(jumped) == 1
    assert timekeeper.in_tempo
    trading = timekeeper.trading
    assert trading is not None
    line = timekeeper.next_bar(8.6)
    assert (line - 1.0) / 0.5 == pytest.approx(16, abs=0.15)
    heard = timekeeper.heard
    assert heard is not None
    assert heard.confidence > 0.6
    assert heard.tempo == pytest.approx(120, rel=0.02)
    timekeeper.use(Controls(clock="internal"), 9.0)
    assert timekeeper.heard is None
    timekeeper.add_note(NoteOn(9.0, 60, 64))
    assert not timekeeper.listen(9.5)


def test_features_of_frames_do_not_depend_on_where_they_begin() -> None:
    onset = np.random.default_rng(0).uniform(0, 2, 30)
    pitch, velocity = np.full(30, 60), np.zeros(30)
    whole = onset_features(onset, pitch, velocity, 100)
    np.testing.assert_allclose(onset_features(onset, pitch, velocity, 40, first=30), whole[30:70], atol=1e-6)


def test_bundled_tracker_hears_swinging_chords_and_bass() -> None:
    tracked = bundled_tracker()
    state = tracked.begin(0.0)
    for bar in range(8):
        for beat in range(4):
            time = 1.0 + (4 * bar + beat) * 60 / 150
            state = tracked.advance(state, time)
            state = tracked.add_note(state, time, (36, 43, 41, 40)[beat], 80)
            if beat in (1, 3):
                for pitch in (64, 67, 71):
                    state = tracked.add_note(state, time, pitch, 60)
            state = tracked.add_note(state, time + 0.4 * 2 / 3, 72 + (bar * 3 + beat) % 7, 70)
    found = tracked.estimate(state)
    assert found is not None
    assert min(abs(found.tempo / 150 / level - 1) for level in (0.5, 1, 2)) < 0.04
    phase = (found.time - 1.0) / 0.2
    assert abs(phase - round(phase)) * 0.2 < 0.05


def test_bundled_weights_name_their_licence_and_are_small() -> None:
    file = files("tatumflow.engine.beats") / WEIGHTS_FILE
    assert len(file.read_bytes()) < 1_500_000
    with as_file(file) as path:
        _, about = read_with_extra(path)
    assert "CC BY-NC" in about["licence"]
    assert "ODbL" in about["licence"]

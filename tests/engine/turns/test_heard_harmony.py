"""Chords that the companion hears: in the model's context and in the snapshot, where no chart is set."""

import numpy as np
import pytest
from rig import Rig

from tatumflow.engine.harmony.chords import NO_CHORD, chord_id, parse_chord
from tatumflow.engine.harmony.live_estimator import LikelyChord, LiveChords
from tatumflow.engine.messages import HeardChord, SetControl
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.turns.heard_harmony import HOLD


def comp(rig: Rig, symbols: list[str], start: float = 1.0, beat: float = 0.5) -> float:
    """Play each chord for four beats, root below; return when the last ends."""
    for bar, symbol in enumerate(symbols):
        chord = parse_chord(symbol)
        assert chord is not None
        pitches = [36 + chord.root, *(54 + (p - 54) % 12 for p in sorted(chord.pitch_classes))]
        for n in range(4):
            at = start + beat * (4 * bar + n)
            rig.human(*(NoteOn(at, p, 70) for p in pitches))
            rig.human(*(NoteOff(at + 0.45 * beat, p) for p in pitches))
    return rig.clock.now()


def context_chords(rig: Rig) -> list[int]:
    record = rig.session.record
    return [int(record.chord[p % record.capacity]) for p in range(record.oldest, record.total)]


def test_the_model_and_the_screen_get_what_is_played() -> None:
    rig = Rig(hear_chords=2)
    comp(rig, ["Dm7", "G7", "Cmaj7", "Cmaj7"])
    heard = rig.companion.snapshot().heard_chord
    assert heard is not None
    assert heard.chord == "Cmaj7"
    assert 0.5 < heard.confidence <= 1
    chords = context_chords(rig)
    tonic, second = chord_id(parse_chord("Cmaj7")), chord_id(parse_chord("Dm7"))
    assert chords[-1] == tonic
    assert second in chords
    assert chords[1] == NO_CHORD, "before it is known"


def test_off_by_default_and_where_a_chart_is_set() -> None:
    for controls in ({}, {"hear_chords": 2, "chords": "C7 | F7"}):
        rig = Rig(**controls)
        comp(rig, ["Dm7", "Dm7", "Dm7"])
        assert rig.companion.snapshot().heard_chord is None
        assert chord_id(parse_chord("Dm7")) not in context_chords(rig)


def test_for_the_screen_alone() -> None:
    rig = Rig(hear_chords=1)
    comp(rig, ["Dm7", "Dm7", "Dm7"])
    heard = rig.companion.snapshot().heard_chord
    assert heard is not None
    assert heard.chord == "Dm7"
    assert not any(context_chords(rig))


def test_switched_on_and_off_between_notes() -> None:
    rig = Rig()
    end = comp(rig, ["Am7", "Am7"])
    rig.companion.command(SetControl("hear_chords", 2))
    assert rig.companion.snapshot().heard_chord == HeardChord("", 0.0)
    end = comp(rig, ["Am7", "Am7", "Am7"], start=end + 0.3)
    known = chord_id(parse_chord("Am7"))
    assert context_chords(rig)[-1] == known
    rig.companion.command(SetControl("hear_chords", 0))
    comp(rig, ["Am7"], start=end + 0.3)
    assert rig.companion.snapshot().heard_chord is None
    assert context_chords(rig)[-1] == NO_CHORD


def test_the_companion_plays_on_the_chord_while_it_holds_and_then_on_none() -> None:
    rig = Rig(hear_chords=2, phrases=0, mode="continue")
    comp(rig, ["Cm7", "Cm7", "Cm7", "Cm7"])
    last = 1.0 + 0.5 * 15
    rig.run_until("playing")
    rig.run_to(last + HOLD + 3)
    record = rig.session.record
    steps = [p for p in range(record.oldest, record.total) if int(record.role[p % record.capacity]) == 1]
    onsets = np.array([record.onset(p) for p in steps[1:]])
    chords = np.array([int(record.chord[p % record.capacity]) for p in steps[1:]])
    assert set(chords[onsets < last + HOLD]) <= {chord_id(parse_chord("Cm7")), NO_CHORD}
    late = chords[onsets > last + HOLD]
    assert len(late)
    assert not late.any()
    assert rig.companion.snapshot().heard_chord == HeardChord("", 0.0)


def test_unsure_chords_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveChords, "likely", property(lambda _: LikelyChord(9, 0.3)))
    rig = Rig(hear_chords=2)
    comp(rig, ["Dm7", "Dm7"])
    assert rig.companion.snapshot().heard_chord == HeardChord("", 0.3)
    assert not any(context_chords(rig))


def test_it_is_updated_once_a_frame_however_many_notes_come(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    inner = LiveChords._read

    def counted(self: LiveChords, start: float, frame: int) -> None:
        read.append(frame)
        inner(self, start, frame)

    monkeypatch.setattr(LiveChords, "_read", counted)
    rig = Rig(hear_chords=2)
    rig.play(*(1.0 + 0.02 * n for n in range(200)), length=0.01)
    assert read == sorted(set(read))
    assert len(read) <= 4 * 4 + 1

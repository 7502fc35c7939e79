"""The loop of heard chords: what the human plays becomes the chart for band, companion and screen."""

from itertools import pairwise
from typing import Any

from rig import Rig

from tatumflow.engine.harmony.chart import parse_chart
from tatumflow.engine.harmony.chords import NO_CHORD, chord_id, parse_chord
from tatumflow.engine.messages import SetControl, StopBars, TakeTurn
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.tempo.band_in_time import BAND_CHANNELS
from tatumflow.engine.turns.heard_loop import READ_AFTER

LOOP: dict[str, Any] = {
    "hear_chords": 3,
    "band": 1,
    "tempo": 120.0,
    "trade_bars": 0,
    "count_in": 0,
    "band_intro": 0,
}
BAR = 2.0
TWO_FIVE = ["Dm7", "G7", "Cmaj7", "Cmaj7"]


def begin(**controls: Any) -> tuple[Rig, float]:
    """Return a rig whose bars go by, and the seconds of the first one."""
    rig = Rig(**(LOOP | controls))
    rig.run_to(0.05)
    return rig, rig.companion.form_begins


def vamp(rig: Rig, symbols: list[str], start: float) -> None:
    """Play each chord for a bar, root below, struck on the first and the third beat."""
    for bar, symbol in enumerate(symbols):
        chord = parse_chord(symbol)
        assert chord is not None
        pitches = [36 + chord.root, *(54 + (p - 54) % 12 for p in sorted(chord.pitch_classes))]
        for half in range(2):
            at = start + BAR * (bar + half / 2)
            rig.human(*(NoteOn(at, p, 70) for p in pitches))
            rig.human(*(NoteOff(at + 0.45 * BAR, p) for p in pitches))


def chords_of(rig: Rig) -> list[str]:
    chart = parse_chart(rig.companion.snapshot().heard_chart)
    return [bar[0].symbol for bar in chart.bars]


def bass(rig: Rig, start: float, end: float) -> list[NoteOn]:
    return [on for on in rig.port.ons if on.channel == BAND_CHANNELS["bass"] and start <= on.time < end]


def test_bars_that_were_played_become_the_chart() -> None:
    rig, start = begin()
    assert chords_of(rig) == ["N.C."] * 4
    vamp(rig, TWO_FIVE, start)
    rig.run_to(start + 4 * BAR + READ_AFTER + 0.1)
    assert chords_of(rig) == TWO_FIVE


def test_the_band_has_drums_alone_until_chords_are_heard_and_then_plays_them() -> None:
    rig, start = begin()
    vamp(rig, TWO_FIVE, start)
    assert not bass(rig, start, start + 4 * BAR - 0.2)
    drums = [on for on in rig.port.ons if on.channel == BAND_CHANNELS["drums"]]
    assert drums
    rig.run_to(start + 8 * BAR)
    second = start + 4 * BAR
    for bar, symbol in enumerate(TWO_FIVE):
        chord = parse_chord(symbol)
        assert chord is not None
        strong = bass(rig, second + bar * BAR - 0.05, second + bar * BAR + 0.1)
        assert strong, f"no bass on the first beat of {symbol}"
        assert strong[0].pitch % 12 in chord.pitch_classes, symbol


def test_new_chords_replace_the_old_ones_a_round_later_and_lines_change_nothing() -> None:
    rig, start = begin()
    vamp(rig, TWO_FIVE, start)
    vamp(rig, ["Fm7", "Bb7"], start + 4 * BAR)
    rig.run_to(start + 6 * BAR + READ_AFTER + 0.1)
    assert chords_of(rig) == ["Fm7", "Bb7", "Cmaj7", "Cmaj7"]
    line = [start + 6 * BAR + READ_AFTER + 0.2 + 0.25 * n for n in range(24)]
    rig.play(*line, length=0.2, first_pitch=66)
    rig.run_to(start + 12 * BAR)
    assert chords_of(rig) == ["Fm7", "Bb7", "Cmaj7", "Cmaj7"]


def test_two_chords_a_bar() -> None:
    rig, start = begin(heard_bars=1)
    for _ in range(3):
        for half, symbol in enumerate(("Dm7", "G7")):
            chord = parse_chord(symbol)
            assert chord is not None
            pitches = [36 + chord.root, *(54 + (p - 54) % 12 for p in sorted(chord.pitch_classes))]
            at = start + BAR * half / 2
            rig.human(*(NoteOn(at, p, 70) for p in pitches))
            rig.human(*(NoteOff(at + 0.45 * BAR, p) for p in pitches))
        start += BAR
    chart = parse_chart(rig.companion.snapshot().heard_chart)
    assert [(int(c.beat), c.symbol) for c in chart.bars[0]] == [(0, "Dm7"), (2, "G7")]


def test_the_companion_answers_over_the_loop() -> None:
    rig, start = begin(mode="improvise")
    vamp(rig, TWO_FIVE, start)
    rig.run_to(start + 4 * BAR + READ_AFTER + 0.1)
    first = rig.session.record.total
    rig.companion.command(TakeTurn())
    rig.run_to(start + 6 * BAR)
    record = rig.session.record
    chords = {int(record.chord[p % record.capacity]) for p in range(first, record.total)} - {NO_CHORD}
    assert chord_id(parse_chord("G7")) in chords
    assert chords <= {chord_id(parse_chord(symbol)) for symbol in TWO_FIVE}


def test_a_chart_or_another_value_ends_the_loop() -> None:
    rig, start = begin()
    vamp(rig, TWO_FIVE, start)
    rig.run_to(start + 5 * BAR)
    rig.companion.command(SetControl("chords", "F7 | Bb7"))
    assert rig.companion.snapshot().heard_chart == ""
    rig.companion.command(SetControl("chords", ""))
    assert chords_of(rig) == ["N.C."] * 4, "it begins again"
    rig.companion.command(SetControl("hear_chords", 1))
    assert rig.companion.snapshot().heard_chart == ""
    now = rig.clock.now()
    rig.run_to(now + 2 * BAR)
    band = [on for on in rig.port.ons if on.channel in BAND_CHANNELS.values() and on.time > now]
    assert not band, "without a chart there is no band"


def test_in_free_time_there_is_no_loop() -> None:
    rig = Rig(hear_chords=3)
    vamp(rig, TWO_FIVE, 1.0)
    snapshot = rig.companion.snapshot()
    assert snapshot.heard_chart == ""
    assert snapshot.position is None


def test_the_bars_stopped_keep_the_loop() -> None:
    rig, start = begin()
    vamp(rig, TWO_FIVE, start)
    rig.run_to(start + 4 * BAR + READ_AFTER + 0.1)
    rig.companion.command(StopBars())
    rig.run_to(rig.clock.now() + 4 * BAR)
    assert chords_of(rig) == TWO_FIVE


def test_other_controls_leave_the_loop_and_what_sounds() -> None:
    rig, start = begin()
    vamp(rig, TWO_FIVE, start)
    rig.run_to(start + 5 * BAR)
    rig.companion.command(SetControl("bass_volume", 0.5))
    rig.companion.command(SetControl("tempo", 126.0))
    assert chords_of(rig) == TWO_FIVE
    rig.run_to(start + 8 * BAR)
    onsets = [on.time for on in bass(rig, start + 4 * BAR, start + 8 * BAR)]
    assert all(after - before < 1.5 for before, after in pairwise(onsets)), "the bass goes on"

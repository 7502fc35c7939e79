"""Chords and pitches for transposing instruments."""

import pytest

from tatumflow.engine.harmony.instruments import WRITTEN, Instrument
from tatumflow.engine.messages import Position
from tatumflow.live.settings import Settings
from tatumflow.live.tui.turn_banner import position_text
from tatumflow.live.tui.written import written_chord


@pytest.mark.parametrize(
    ("instrument", "chords"),
    [
        ("C", ["F7", "Bbm7", ""]),
        ("Bb", ["G7", "Cm7", ""]),
        ("Eb", ["D7", "Gm7", ""]),
        ("F", ["C7", "Fm7", ""]),
    ],
)
def test_a_chord_is_read_as_the_instrument_reads_it(instrument: Instrument, chords: list[str]):
    assert [written_chord(chord, instrument) for chord in ("F7", "Bbm7", "")] == chords


def test_the_banner_writes_for_the_instrument():
    position = Position(bar=7, beat=3, beats_per_bar=4, tempo=132.5, chord="F7", next_chord="D7")
    assert "F7 → D7" in position_text(position).plain
    assert "D7 → B7" in position_text(position, instrument="Eb").plain


def test_every_instrument_is_a_setting():
    for instrument in WRITTEN:
        assert Settings().with_changes({"screen.instrument": instrument}).screen.instrument == instrument

"""The text piano roll: notes where they belong, whatever the range."""

from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.midi.notes import Note
from tatumflow.live.commands.piano_roll_text import piano_roll, pitch_name

NOTES = st.lists(
    st.builds(Note, st.floats(0, 100), st.floats(0.01, 10), st.integers(0, 127), st.integers(1, 127)),
    max_size=12,
)


@given(NOTES, NOTES)
def test_it_stays_within_its_size(human, companion):
    text = piano_roll(human, companion, width=80, height=20)
    lines = text.split("\n")
    assert all(len(line) <= 80 for line in lines)
    assert len(lines) <= 21


def test_rows_are_pitches_and_columns_are_time():
    text = piano_roll([Note(0, 1, 60, 80)], [Note(1, 1, 62, 80)], width=25)
    high, middle, low, scale = text.split("\n")
    assert high == "  D4 " + " " * 10 + "█" + "▄" * 9
    assert middle == " C#4 "
    assert low == "  C4 ▒" + "░" * 9
    assert scale == "     0 s       1"


def test_nothing_played_is_an_empty_roll():
    assert piano_roll([], []) == ""


def test_pitches_are_named_as_players_name_them():
    assert [pitch_name(pitch) for pitch in (21, 60, 61, 108)] == ["A0", "C4", "C#4", "C8"]

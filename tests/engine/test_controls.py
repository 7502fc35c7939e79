"""Controls: what is set is what was given, or it is refused in one line."""

from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from tatumflow.engine.control_specs import Group
from tatumflow.engine.controls import CONTROL_SPECS, Controls, head_named
from tatumflow.engine.errors import SettingError
from tatumflow.engine.midi.midi_file import MidiTrack, write_midi
from tatumflow.engine.midi.notes import Note


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("trade_bars", 2.7, "trade_bars: 2.7 is not a whole number"),
        ("trade_bars", "2.7", "trade_bars: '2.7' is not a whole number"),
        ("register_low", 59.999, "register_low: 59.999 is not a whole number"),
        ("seed", 0.5, "seed: 0.5 is not a whole number"),
        ("trade_bars", float("nan"), "trade_bars: nan is not a number"),
        ("temperature", float("nan"), "temperature: nan is not a number"),
        ("temperature", float("inf"), "temperature: inf is not a number"),
        ("temperature", "warm", "temperature: 'warm' is not a number"),
        ("temperature", None, "temperature: None is not a number"),
        ("temperature", True, "temperature: True is not a number"),
        ("trade_bars", True, "trade_bars: True is not a number"),
        ("trade_bars", 9.0, "trade_bars: 9 is outside the allowed range 0 to 8"),
        ("temperature", 10**400, "is not a number"),
        ("style", 3, "style: 3 is not a word or text"),
        ("chords", None, "chords: None is not a word or text"),
        ("mode", False, "mode: False is not a word or text"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line_without_types_of_the_language(name, value, reason):
    with pytest.raises(SettingError) as caught:
        Controls().changed(name, value)
    text = str(caught.value)
    assert reason in text
    assert "\n" not in text
    assert not {"int", "float", "str"} & set(text.replace("'", " ").split())


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("trade_bars", 4.0, 4),
        ("trade_bars", "4", 4),
        ("seed", 4294967295.0, 4294967295),
        ("seed", 2**32 - 1, 4294967295),
        ("clock_out", True, 1),
        ("clock_out", False, 0),
        ("temperature", 1, 1.0),
        ("temperature", "0.5", 0.5),
        ("style", "", ""),
    ],
)
def test_what_fits_is_taken_as_the_controls_type(name, value, wanted):
    taken = getattr(Controls().changed(name, value), name)
    assert (taken, type(taken)) == (wanted, type(wanted))


@pytest.mark.parametrize("spec", CONTROL_SPECS.values(), ids=CONTROL_SPECS)
def test_every_control_is_declared_with_one_sentence_and_a_short_label(spec):
    assert spec.name in CONTROL_SPECS
    assert spec.help[0].isupper()
    assert spec.help.endswith(".")
    assert spec.help.count(". ") == 0
    assert 0 < len(spec.label) <= (11 if spec.row else 14)
    assert spec.group in get_args(Group)
    assert getattr(Controls(), spec.name) == spec.default
    assert not spec.is_number or spec.low <= spec.default <= spec.high < 2**32


def test_the_fields_of_the_controls_are_declared_with_their_types():
    for name, kind in get_type_hints(Controls).items():
        default = CONTROL_SPECS[name].default
        assert isinstance(default, str if get_args(kind) else kind)
        assert CONTROL_SPECS[name].choices == get_args(kind)


def test_controls_that_bound_each_other_are_set_together():
    low = Controls(register_low=30, register_high=40)
    high = low.with_all({"register_low": 90, "register_high": "100"})
    assert (high.register_low, high.register_high) == (90, 100)
    with pytest.raises(SettingError, match="register_low: 90 lies above register_high 40"):
        low.changed("register_low", 90)
    with pytest.raises(SettingError, match="'colour' is not a control; the controls are mode, style"):
        low.changed("colour", 1)


def test_a_head_plays_on_without_its_file_and_is_read_again_when_it_is_named_again(tmp_path: Path):
    melody, other = str(tmp_path / "head.mid"), str(tmp_path / "none.mid")
    write_midi(Path(melody), [MidiTrack("Melody", [Note(0.0, 0.5, 72, 80)])])
    controls = Controls().changed("head", melody)
    write_midi(Path(melody), [MidiTrack("Melody", [Note(0.0, 0.5, 74, 80)])])
    assert head_named(controls.head).notes[0].pitch == 72
    controls = controls.changed("head", melody)
    assert head_named(controls.head).notes[0].pitch == 74
    Path(melody).unlink()
    for path in (other, melody):
        with pytest.raises(SettingError, match="no such file"):
            controls.changed("head", path)
    assert controls.changed("temperature", 0.5).head == melody
    assert head_named(controls.head).notes[0].pitch == 74

"""A tune to play over, by name, text or file, and whole choruses of it."""

import sys

import pytest

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import SettingError
from tatumflow.live import cli
from tatumflow.live.commands import play
from tatumflow.live.commands.tune import MINUTE, Length, check_band, length_of, over_tune


def test_choruses_last_as_long_as_the_form():
    bar = 4 * 60 / 200
    for chords, bars in (("blues in F", 12), ("rhythm changes", 32), ("ii-V-I", 48)):
        controls = Controls(chords=chords, tempo=200)
        length = length_of(controls, None, 2, alone=True)
        assert length.form
        assert length.seconds == pytest.approx(2 * bars * bar)
    waltz = Controls(chords="{time: 3/4} Dm7 | G7 | Cmaj7 | %", tempo=60)
    assert length_of(waltz, None, 1, alone=True) == Length(12.0, form=True)


def test_without_choruses_the_seconds_count():
    assert length_of(Controls(), None, None, alone=True) == MINUTE
    assert length_of(Controls(chords="blues"), 7.0, None, alone=False) == Length(7.0)


@pytest.mark.parametrize(
    ("chords", "seconds", "alone", "match"),
    [("blues", 5.0, True, "--seconds"), ("blues", None, False, "MIDI file"), ("", None, True, "--tune")],
)
def test_a_length_that_cannot_be_is_refused(chords: str, seconds: float | None, alone: bool, match: str):
    with pytest.raises(SettingError, match=match):
        length_of(Controls(chords=chords), seconds, 1, alone=alone)


def test_a_tune_is_the_chart_unless_another_is_given():
    assert over_tune("blues in F", {"tempo": "90"}) == {"tempo": "90", "chords": "blues in F"}
    assert over_tune(None, {"chords": "blues"}) == {"chords": "blues"}
    with pytest.raises(SettingError, match="--tune and --chords"):
        over_tune("blues in F", {"chords": "rhythm changes"})


@pytest.mark.parametrize(
    ("arguments", "choruses", "seconds"),
    [
        (["--tune", "blues in F"], 1, None),
        (["--tune", "blues in F", "--choruses", "3"], 3, None),
        (["--tune", "blues in F", "--seconds", "9"], None, 9.0),
        (["--chords", "blues in F"], None, None),
        (["in.mid", "--tune", "blues in F"], None, None),
    ],
)
def test_a_tune_alone_means_one_chorus(monkeypatch, arguments, choruses, seconds):
    calls = []
    monkeypatch.setattr(play, "play", calls.append)
    monkeypatch.setattr(sys, "argv", ["tatumflow", "generate", "-o", "x.mid", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    assert (calls[0].choruses, calls[0].seconds) == (choruses, seconds)
    assert calls[0].changes["chords"] == "blues in F"


def test_a_band_without_a_chart_is_refused_where_it_was_asked_for():
    with pytest.raises(SettingError, match="--band plays over a chart"):
        check_band({"band": True}, Controls(band=1))
    check_band({"band": True}, Controls(band=1, chords="blues in F"))
    check_band({}, Controls(band=1))

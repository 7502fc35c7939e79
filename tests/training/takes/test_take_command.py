"""The command that fits the weights of takes, from corpora to the manifest."""

import shutil
from pathlib import Path

import pytest
from players import pack_players
from solo_files import even, write_solo

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.model.bundle import load_bundle
from tatumflow.training.takes import line_takes, piano_takes
from tatumflow.training.takes.commands import TakeSettings, fit_table, fit_takes
from tatumflow.training.takes.fit import averaged
from tatumflow.training.takes.line_takes import BARS, LINE_FEATURE_NAMES, charted_solos
from tatumflow.training.takes.piano_takes import PIANO_FEATURES

SETTINGS = TakeSettings(primers=8, solos=3, rounds=2)


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))


@pytest.fixture
def solos(tmp_path: Path) -> Path:
    folder = tmp_path / "weimar"
    folder.mkdir()
    write_solo(folder, "CharlieParker_Tune_Solo", even(), [0.75 * i for i in range(90)])
    write_solo(folder, "SonnyStitt_Other_Solo", even(200.0), [0.6 * i for i in range(110)])
    write_solo(folder, "SonnyStitt_Held_Solo", even())
    write_solo(folder, "SonnyStitt_Slow_Solo", even(90.0))
    return folder


@pytest.mark.slow
def test_weights_of_pianists_and_of_lines_are_in_the_manifest(
    bundle: Path, solos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # The tiny model's notes lie seconds apart: a take of it lasts longer than a trained one's turn.
    monkeypatch.setattr(piano_takes, "CONTINUATION_SECONDS", 200.0)
    monkeypatch.setattr(line_takes, "TAKE_SECONDS", 200.0)
    pack_players(tmp_path / "packed")
    steps: list[str] = []
    fits = fit_takes(bundle, tmp_path / "packed", solos, SETTINGS, steps.append)
    takes = load_bundle(bundle).manifest.takes
    assert takes == {kind: averaged(rounds) for kind, rounds in fits.items()}
    assert [len(rounds) for rounds in fits.values()] == [2, 2]
    assert takes["piano"].features == PIANO_FEATURES
    assert takes["line"].features == LINE_FEATURE_NAMES
    assert [step.split(":")[0] for step in steps] == [
        f"{kind}, round {number} of 2" for kind in ("piano", "line") for number in (1, 2)
    ]
    table = list(fit_table(fits))
    assert len(table) == 6 + len(PIANO_FEATURES) + len(LINE_FEATURE_NAMES)


def test_solos_are_charted_on_even_beats_without_those_held_out(solos: Path):
    found = charted_solos(solos, frozenset({"SonnyStitt_Held_Solo.csv"}))
    assert [charted.solo.name for charted in found] == [
        "CharlieParker_Tune_Solo.csv",
        "SonnyStitt_Other_Solo.csv",
    ], "one slower than the tempos is left out, and Parker's stand between the others"
    parker = found[0]
    beat = 60.0 / parker.solo.tempo
    assert [note.onset / beat for note in parker.notes[:3]] == pytest.approx([0.0, 0.75, 1.5], abs=0.01)
    assert max(note.onset for note in parker.notes) > BARS * 4 * beat


def test_a_database_without_solos_is_an_error(bundle: Path, tmp_path: Path):
    pack_players(tmp_path / "packed")
    folder = tmp_path / "weimar"
    folder.mkdir()
    write_solo(folder, "SonnyStitt_Slow_Solo", even(90.0))
    settings = TakeSettings(primers=2, solos=2, rounds=1)
    with pytest.raises(CorpusError, match="no solo to learn lines from"):
        fit_takes(bundle, tmp_path / "packed", folder, settings)
    assert not load_bundle(bundle).manifest.takes

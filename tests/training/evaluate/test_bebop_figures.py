"""Takes over the tunes of real solos beside those solos."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from players import pack_players

from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.generations import Performer
from tatumflow.training.evaluate.parts.bebop import bebop_part
from tatumflow.training.evaluate.parts.bebop_figures import (
    BebopSides,
    bebop_figures,
    classifier_figures,
    distance,
)
from tatumflow.training.evaluate.parts.bebop_takes import HARMONIC, NAMES, play_takes, real_takes
from tatumflow.training.evaluate.parts.bebop_tunes import chart_harmony, felt, solos_of
from tatumflow.training.evaluate.primers import Notes
from tatumflow.training.evaluate.report.bebop_table import bebop_lines
from tatumflow.training.evaluate.settings import EvaluationSettings

FORM = ("Dm7", "G7", "Cmaj7", "A7", "Dm7", "G7", "Cmaj7", "Cmaj7")
GUIDE = (65, 71, 64, 61, 65, 65, 64, 64)
BEAT = 0.4


def write_solo(
    folder: Path, name: str, pitches: tuple[int, ...], beat: float = BEAT, pickup: int = 2
) -> None:
    """Write two choruses over `FORM` after a pickup: the bar's pitch on its first beat, then a scale."""
    for part in ("csv_beats", "csv_melody"):
        (folder / part).mkdir(exist_ok=True)
    beats, notes = ["bar,beat,chord,chorus_id,onset"], ["bar,beat,onset,duration,pitch,beatdur"]
    for i in range(-2, 2 * 4 * len(FORM)):
        bar, at = divmod(i, 4)
        time, chord = 1.0 + i * beat, FORM[bar % 8] if at == 0 and i >= 0 else ""
        chorus = 0 if i < 0 else 1 + bar // 8
        beats.append(f"{bar + 1},{at + 1},{chord},{chorus},{time}")
        if i >= 0:
            notes.append(f"{bar + 1},{at + 1},{time},{0.9 * beat},{pitches[bar % 8] + 2 * at},{beat}")
    (folder / "csv_beats" / f"{name}.csv").write_text("\n".join(beats))
    (folder / "csv_melody" / f"{name}.csv").write_text("\n".join(notes))


@pytest.fixture(scope="module")
def weimar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wjazzd")
    write_solo(folder, "CharlieParker_Tune_Solo", GUIDE)
    write_solo(folder, "CharlieParker_Other_Solo", GUIDE, beat=0.3)
    write_solo(folder, "JohnColtrane_Tune_Solo", tuple(pitch + 1 for pitch in GUIDE))
    return folder


class RandomPerformer:
    """Plays a random note every quarter of a second, by the seed of the controls."""

    def improvise(self, seconds: float, controls: Controls) -> Notes:
        rng = np.random.default_rng(controls.seed)
        count = int(seconds / 0.25)
        return note_array(
            0.25 * np.arange(count), [0.2] * count, rng.integers(50, 80, size=count), [64] * count
        )


@pytest.fixture
def performer() -> Performer:
    return cast("Performer", RandomPerformer())


def test_a_tune_is_read_from_its_first_chorus_on(weimar: Path) -> None:
    solos = {solo.name: solo for solo in solos_of(weimar, "charlie-parker", 12.0)}
    solo = solos["CharlieParker_Tune_Solo.csv"]
    assert solo.tune == "tune"
    assert solo.tempo == pytest.approx(60 / BEAT)
    assert solo.notes["onset"][0] == pytest.approx(0.0, abs=1e-6)
    assert solo.notes["onset"][-1] < 12.0
    assert [bar[0].chord for bar in solo.chart.bars] == [
        bar[0].chord for bar in chart_named(" | ".join(FORM)).bars
    ]
    assert chart_named(solo.chart.text).bars == solo.chart.bars
    assert not solos_of(weimar, "miles-davis", 12.0)


def test_real_solos_are_measured_on_their_own_chords(weimar: Path) -> None:
    parker, coltrane = (
        real_takes(solos_of(weimar, player, 40.0)) for player in ("charlie-parker", "john-coltrane")
    )
    for take in parker:
        assert take.figures.chord_tones == take.figures.guide_tones == 1.0
        assert take.shuffled["guide_tones"] < 0.9
        assert take.figures.enclosures == take.figures.passing_tones == 0.0
    assert coltrane[0].figures.guide_tones < 0.5
    assert distance(parker, parker) == pytest.approx(0.0)
    assert distance(coltrane, parker) > 0.1


def test_the_chart_of_a_take_is_the_annotated_harmony_in_even_time(weimar: Path) -> None:
    solo = solos_of(weimar, "charlie-parker", 20.0)[0]
    harmony = chart_harmony(solo.chart, solo.tempo, 0.0, 20.0)
    places = np.arange(0.0, 40.0, 0.5)
    assert harmony.at(places).tolist() == solo.harmony.at(places).tolist()
    assert harmony.beats[-1] >= 20.0


def test_a_ballad_is_measured_in_double_time(weimar: Path) -> None:
    solo = solos_of(weimar, "charlie-parker", 20.0)[0]
    slow = felt(replace(solo.harmony, beats=2 * solo.harmony.beats))
    assert np.diff(slow.beats) == pytest.approx(np.diff(solo.harmony.beats)[0])
    places = np.arange(0.0, 20.0, 0.25)
    assert slow.at(2 * places).tolist() == solo.harmony.at(places).tolist()
    assert felt(solo.harmony) is solo.harmony


def test_takes_repeat_with_their_seed(weimar: Path, performer: Performer) -> None:
    tunes = solos_of(weimar, "charlie-parker", 8.0)
    first, again, other = (
        play_takes(performer, tunes, Controls(style="charlie-parker"), takes=2, seconds=8.0, seed=seed)
        for seed in (1, 1, 2)
    )
    assert [take.tune for take in first] == [tune.tune for tune in tunes]
    assert [take.notes.tolist() for take in first] == [take.notes.tolist() for take in again]
    assert [take.notes.tolist() for take in first] != [take.notes.tolist() for take in other]
    assert all(take.notes["onset"][-1] <= 8.0 for take in first)


def test_the_part_writes_every_figure_with_its_intervals(
    weimar: Path, performer: Performer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tatumflow.training.evaluate.parts.bebop.TAKE_SECONDS", 8.0)
    corpus = pack_players(tmp_path / "packed")
    settings = EvaluationSettings(primers=2, solos=weimar, seed=3)
    found = bebop_part(performer, corpus, settings)["bebop"]
    assert (found["player"], found["control_player"]) == ("charlie-parker", "john-coltrane")
    assert (found["takes"], found["solos"]) == (2, 2)
    assert set(found["figures"]) == set(NAMES)
    for name, row in found["figures"].items():
        assert {"companion", "player", "control", "ratio"} <= set(row)
        assert ("player_shuffled" in row) == (name in HARMONIC)
    assert found["figures"]["guide_tones"]["player"]["value"] == 1.0
    assert "unavailable" in found["classifier"]
    lines = list(bebop_lines({"bebop": found}))
    assert len(lines) == 2 + len(NAMES) + len(HARMONIC) + 2
    assert not list(bebop_lines({}))


def test_held_out_tunes_stand_alone(weimar: Path) -> None:
    takes = real_takes(solos_of(weimar, "charlie-parker", 20.0))
    sides = BebopSides("charlie-parker", "john-coltrane", takes, takes, takes, frozenset({"other"}))
    found = bebop_figures(sides)["bebop"]
    assert found["held_out"] == ["other"]
    other = next(take for take in takes if take.tune == "other")
    held_out = found["figures"]["onsets_a_second"]["held_out"]["value"]
    assert held_out == pytest.approx(other.figures.onsets_a_second)
    assert "classifier" not in found


def test_a_classifier_without_the_players_says_so(weimar: Path, tmp_path: Path) -> None:
    corpus: PackedCorpus = pack_players(tmp_path / "packed")
    takes = real_takes(solos_of(weimar, "charlie-parker", 20.0))
    sides = BebopSides("charlie-parker", "john-coltrane", takes, takes, takes)
    assert "john-coltrane" in classifier_figures(sides, corpus)["unavailable"]


def test_without_the_database_the_part_is_refused(performer: Performer, tmp_path: Path) -> None:
    corpus = pack_players(tmp_path / "packed")
    with pytest.raises(CorpusError, match="--solos"):
        bebop_part(performer, corpus, EvaluationSettings())

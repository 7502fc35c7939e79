"""Fours traded over real tunes: what the player plays, how the answers are measured, and the real engine."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from players import pack_players
from rig import StyleRows, new_session
from solo_files import BEAT, EIGHTHS, FORM, TEMPO, even, write_solo

from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.errors import CorpusError, SettingError
from tatumflow.engine.midi.notes import Note
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.generations import to_array, to_notes
from tatumflow.training.evaluate.parts.trading import trading_part
from tatumflow.training.evaluate.parts.trading_figures import (
    BAR_NAMES,
    answers_of,
    measure_bars,
    trading_figures,
)
from tatumflow.training.evaluate.parts.trading_takes import Take, Trader, play_takes
from tatumflow.training.evaluate.parts.trading_tunes import LINE_VELOCITY, TradedTune, traded_tunes
from tatumflow.training.evaluate.primers import Notes
from tatumflow.training.evaluate.report.trading_table import trading_lines
from tatumflow.training.evaluate.settings import EvaluationSettings, PresetControls


def tune_of(places: Sequence[float] = EIGHTHS, tune: str = "tune") -> TradedTune:
    notes = [Note(place * BEAT, 0.2 * BEAT, 60 + i % 12, LINE_VELOCITY) for i, place in enumerate(places)]
    return TradedTune(tune, f"{tune}.csv", chart_named(" | ".join(FORM)), TEMPO, to_array(notes))


def take_of(notes: Sequence[tuple[float, float, int]]) -> Take:
    """Return a take of notes by place and length in beats."""
    played = [Note(place * BEAT, length * BEAT, pitch, 64) for place, length, pitch in notes]
    return Take(tune_of(), to_array(played))


def answering(places: Callable[[Controls], Sequence[float]]):
    """Return a companion that plays at places in beats, which may depend on the controls."""

    def play(human: Sequence[Note], seconds: float, controls: Controls) -> Notes:
        period = 60.0 / controls.tempo
        return to_array([Note(place * period, 0.1, 60, 64) for place in places(controls)])

    return play


@pytest.fixture(scope="module")
def weimar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wjazzd")
    for name in ("CharlieParker_Tune", "CharlieParker_Second", "SonnyStitt_Other"):
        write_solo(folder, f"{name}_Solo", even())
    write_solo(folder, "CharlieParker_Slow_Solo", even(100.0))
    write_solo(folder, "CharlieParker_Fast_Solo", even(260.0))
    write_solo(folder, "CharlieParker_Short_Solo", even(beats=48))
    write_solo(folder, "JohnColtrane_Tune_Solo", even())
    return folder


def test_tunes_that_fit_are_taken_from_each_player_in_turn(weimar: Path) -> None:
    assert [tune.name.removesuffix("_Solo.csv") for tune in traded_tunes(weimar)] == [
        "CharlieParker_Second",
        "SonnyStitt_Other",
        "CharlieParker_Tune",
    ]


def test_a_solo_is_moved_to_even_beats(tmp_path: Path) -> None:
    uneven = np.cumsum(np.tile([0.3, 0.4, 0.34, 0.36], 18)).tolist()
    write_solo(tmp_path, "CharlieParker_Tune_Solo", uneven)
    (tune,) = traded_tunes(tmp_path)
    places = tune.solo["onset"] / tune.period
    assert places == pytest.approx(EIGHTHS, abs=0.02)
    ends = tune.solo["onset"] + tune.solo["duration"]
    assert (ends[:-1] <= tune.solo["onset"][1:] + 1e-4).all()
    assert set(tune.solo["velocity"].tolist()) == {LINE_VELOCITY}


def test_player_and_companion_have_four_bars_each() -> None:
    tune = tune_of((0, 15.5, 15.9, 16, 31.9, 32, 47.9, 48, 63.5))
    assert (tune.line["onset"] / BEAT).tolist() == pytest.approx([0, 15.5, 32])
    assert (tune.answer["onset"] / BEAT).tolist() == pytest.approx([15.9, 16, 47.9, 48, 63.5])


def test_the_players_chords_are_the_charts_with_the_root_below() -> None:
    notes = tune_of().chords
    begins = notes["onset"] / BEAT
    assert sorted(set(begins.round(3).tolist())) == [0, 4, 8, 12, 32, 36, 40, 44]
    assert (notes["duration"] / BEAT).tolist() == pytest.approx([1.8] * len(notes))
    dm7 = notes["pitch"][begins < 1]
    assert dm7.tolist() == [38, 50, 53, 57, 60]
    crowded = replace(tune_of(), chart=chart_named("Dm7 G7 C7 F7"))
    onset, length = (crowded.chords[name] / BEAT for name in ("onset", "duration"))
    assert ((onset + length) % 1.0 > 0.85).all(), "chords overlap"


def test_each_take_trades_over_its_tune_with_a_seed_of_its_own(weimar: Path) -> None:
    drawn: list[Controls] = []

    def play(human: Sequence[Note], seconds: float, controls: Controls) -> Notes:
        drawn.append(controls)
        assert seconds == pytest.approx(64 * 60.0 / controls.tempo)
        return to_array([])

    given = Controls(mode="improvise", trade_bars=8, trade_choruses=1, count_in=2, density=-0.5)
    tunes = traded_tunes(weimar)
    takes = play_takes(play, tunes, lambda tune: tune.line, given, takes=4, seed=2)
    assert [take.tune.name for take in takes] == [tune.name for tune in (*tunes, tunes[0])]
    assert len({controls.seed for controls in drawn}) == 4
    for controls in drawn:
        assert (controls.mode, controls.trade_bars, controls.trade_choruses) == ("answer", 4, 0)
        assert (controls.count_in, controls.density) == (0, -0.5)
    assert drawn[0].tempo == pytest.approx(TEMPO)


def test_a_line_on_the_beat_is_told_from_one_beside_it() -> None:
    tune = tune_of()
    own = measure_bars(tune.answer, tune)
    assert own.concentration > 0.8
    assert own.notes_a_beat == pytest.approx(2.0)
    rng = np.random.default_rng(0)
    beside = np.sort(rng.uniform(16, 32, 40))
    random = measure_bars(take_of([(place, 0.1, 60) for place in beside]).notes, tune)
    assert random.concentration < 0.3
    swung = [place + part for place in range(16, 32) for part in (0, 0.6)]
    assert measure_bars(take_of([(at, 0.2, 60) for at in swung]).notes, tune).swing_ratio == pytest.approx(
        1.5, abs=0.01
    )


def test_chord_tones_are_those_of_the_chart_on_strong_beats() -> None:
    tune = tune_of()
    roots = (62, 67, 60, 60)
    strong = [(16 + 4 * bar + at, 0.5, roots[bar]) for bar in range(4) for at in (0, 2)]
    weak = [(16 + 4 * bar + at, 0.5, 61) for bar in range(4) for at in (1, 3)]
    notes = take_of(sorted(strong + weak)).notes
    assert measure_bars(notes, tune).chord_tones == 1.0
    outside = take_of([(place, length, pitch + 1) for place, length, pitch in strong]).notes
    assert measure_bars(outside, tune).chord_tones < 0.2
    enclosing = take_of([(17, 0.2, 63), (17.5, 0.2, 61), (18, 0.2, 62), (19, 0.2, 62)]).notes
    assert measure_bars(enclosing, tune).enclosures == pytest.approx(25.0)


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        ([(16, 0.5, 60), (31, 1.0, 62)], (0.0, 1.0, 1.0)),
        ([(16.75, 0.5, 60), (31, 1.1, 62)], (0.75, 1.0, 1.0)),
        ([(17.5, 0.5, 60), (31, 1.3, 62)], (1.5, 0.0, 0.0)),
        ([(17.5, 16.0, 60), (18, 0.5, 62)], (1.5, 0.0, 0.0)),
    ],
)
def test_answers_are_measured_at_their_bar_lines(
    notes: Sequence[tuple[float, float, int]], expected: tuple[float, ...]
) -> None:
    first, second = answers_of(take_of(notes))
    assert (first.first_note, first.begins_on_time, first.ends_on_time) == pytest.approx(expected)
    assert second.begins_on_time == 0.0
    assert np.isnan([second.first_note, second.ends_on_time]).all()


def test_figures_stand_beside_the_solos_own() -> None:
    echo = [Take(tune, tune.answer) for tune in (tune_of(tune="a"), tune_of(tune="b"))]
    late = [(16 + 2 * i, 0.5, 60) for i in range(8)]
    found = trading_figures(echo, [take_of(late)], {"b.csv"})["trading"]
    assert (found["tunes"], found["held_out"]) == (["a", "b", "tune"], ["b"])
    assert (found["lines"]["answers"], found["lines"]["silent"], found["chords"]["silent"]) == (4, 0, 1)
    lines, chords = (found[kind]["figures"] for kind in ("lines", "chords"))
    assert lines["concentration"]["ratio"]["value"] == pytest.approx(1.0)
    assert chords["notes_a_beat"]["ratio"]["value"] == pytest.approx(0.125)
    assert lines["first_note"]["companion"]["value"] == 0.0
    assert chords["begins_on_time"]["companion"]["value"] == 0.5
    assert chords["ends_on_time"]["companion"]["value"] == 1.0


@pytest.fixture
def corpus(tmp_path: Path) -> PackedCorpus:
    return pack_players(tmp_path / "packed")


def test_the_part_trades_after_lines_and_chords(weimar: Path, corpus: PackedCorpus) -> None:
    styles: set[tuple[str, float]] = set()
    heard: list[int] = []

    def places(controls: Controls) -> Sequence[float]:
        styles.add((controls.style, controls.pocket))
        return [16 + i / 2 for i in range(32)] + [48 + i / 2 for i in range(32)]

    def play(human: Sequence[Note], seconds: float, controls: Controls) -> Notes:
        heard.append(max(sum(note.onset == other.onset for note in human) for other in human))
        return answering(places)(human, seconds, controls)

    preset = PresetControls("bird", {"pocket": 2.0}, {"pocket": 3.0})
    settings = EvaluationSettings(primers=2, solos=weimar, preset=preset)
    found = trading_part(lambda: play, corpus, settings)
    assert styles == {("charlie-parker", 3.0)}
    assert heard == [1, 1, 5, 5]
    assert found["trading"]["lines"]["takes"] == found["trading"]["chords"]["takes"] == 2
    assert found["trading"]["chords"]["figures"]["begins_on_time"]["companion"]["value"] == 1.0
    lines = list(trading_lines(found))
    assert len(lines) == 1 + 2 * (1 + len(BAR_NAMES) + 3)
    assert not list(trading_lines({}))


def test_without_the_database_or_its_tunes_the_part_is_refused(corpus: PackedCorpus, tmp_path: Path) -> None:
    play = answering(lambda _: ())
    with pytest.raises(CorpusError, match="--solos"):
        trading_part(lambda: play, corpus, EvaluationSettings())
    write_solo(tmp_path, "JohnColtrane_Tune_Solo", even())
    with pytest.raises(CorpusError, match="no solos to trade with"):
        trading_part(lambda: play, corpus, EvaluationSettings(solos=tmp_path))


def test_the_engine_answers_in_its_own_bars() -> None:
    trader, tune = Trader(new_session(), StyleRows("charlie-parker")), tune_of()
    controls = Controls(style="charlie-parker", register_low=60, register_high=72)

    def played(seed: int) -> Take:
        return play_takes(trader.trade, [tune], lambda tune: tune.line, controls, takes=1, seed=seed)[0]

    take = played(1)
    answers = answers_of(take)
    assert [answer.begins_on_time for answer in answers] == [1.0, 1.0]
    assert [answer.ends_on_time for answer in answers] == [1.0, 1.0]
    assert answers[0].first_note == pytest.approx(0.0, abs=0.05)
    places = take.notes["onset"] / BEAT + 0.01
    assert (places // 16 % 2 == 1).all()
    assert set(take.notes["pitch"].tolist()) <= set(range(60, 73))
    assert played(1).notes.tolist() == take.notes.tolist()
    assert played(2).notes.tolist() != take.notes.tolist()
    with pytest.raises(SettingError, match="style"):
        trader.trade(to_notes(tune.line), tune.seconds, Controls(style="absent"))

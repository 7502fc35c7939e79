"""Blues solos on their beats, and the figures of improvising over a blues."""

from pathlib import Path

import numpy as np
import pytest

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.harmony.chords import Chord
from tatumflow.engine.model.bundle import load_bundle
from tatumflow.training.data.corpora.wjazzd_beats import Beat, is_blues, read_blues
from tatumflow.training.evaluate.generations import Performer
from tatumflow.training.evaluate.parts.improvise_figures import improvise_figures

BEAT = 0.5
BLUES = ("F7", "Bb7", "F7", "F7", "Bb7", "Bb7", "F7", "F7", "C7", "Bb7", "F7", "C7")


def write_solo(folder: Path, name: str, bars: tuple[str, ...], pitches: list[int]) -> None:
    """Write a solo that plays the given pitches in turn, one on each beat, from one second on."""
    for part in ("csv_beats", "csv_melody"):
        (folder / part).mkdir(exist_ok=True)
    beats, notes = ["bar,beat,chord,chorus_id,onset"], ["bar,beat,onset,duration,pitch,beatdur"]
    for i in range(4 * len(bars)):
        bar, beat = divmod(i, 4)
        time = 1.0 + i * BEAT
        chord = bars[bar] if beat == 0 else ""
        beats.append(f"{bar + 1},{beat + 1},{chord},{bar // 12 + 1},{time}")
        notes.append(f"{bar + 1},{beat + 1},{time},{BEAT},{pitches[i % len(pitches)]},{BEAT}")
    (folder / "csv_beats" / f"{name}.csv").write_text("\n".join(beats))
    (folder / "csv_melody" / f"{name}.csv").write_text("\n".join(notes))


def beats_of(bars: tuple[Chord | None, ...]) -> list[Beat]:
    return [Beat(0.5 * i, 1 + i % 4, 1, bars[i // 4]) for i in range(4 * len(bars))]


def test_a_blues_is_known_by_its_chords_in_any_key() -> None:
    roots = (0, 0, 0, 0, 5, 5, 0, 0, 7, 5, 0, 7)
    for key in range(12):
        assert is_blues(beats_of(tuple(Chord((key + root) % 12, "7") for root in roots)))
    assert not is_blues(beats_of(tuple(Chord(root, "7") for root in (*roots, 0, 0, 0, 0))))
    assert not is_blues(beats_of(tuple(Chord(0, "7") for _ in roots)))
    assert not is_blues(beats_of((None,) * 12))


def test_real_solos_are_measured_on_their_own_beats(tmp_path: Path, tiny_bundle: Path) -> None:
    # F on every beat: a chord tone of F7 (six bars) and no other of the blues' chords but Bb7 (four bars).
    write_solo(tmp_path, "A_Tune_Solo", BLUES, [65])
    write_solo(tmp_path, "B_Other_Solo", ("C7", "F7") * 6, [60])
    solos = list(read_blues(tmp_path))
    assert [solo.name for solo in solos] == ["A_Tune_Solo.csv"]
    assert solos[0].beats[0].time == pytest.approx(solos[0].notes["onset"][0])
    performer = Performer(load_bundle(tiny_bundle))
    figures = improvise_figures(performer, (), tmp_path, takes=2, seconds=12.0)["improvise"]
    assert figures["takes"] == 2
    assert figures["real_solos"] == 1
    in_twelve_seconds = [chord in ("F7", "Bb7") for chord in BLUES[:6]]
    assert figures["chord_tone_share"]["real"] == pytest.approx(np.mean(in_twelve_seconds))
    assert len(figures["chord_tone_share"]["takes"]) == 2
    assert figures["most_repeated_figure"]["real"] == 3
    again = improvise_figures(performer, (), None, takes=2, seconds=12.0)["improvise"]
    assert again["notes"]["takes"] == figures["notes"]["takes"]
    assert "real" not in again["notes"]


def test_a_folder_without_beats_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="csv_beats"):
        list(read_blues(tmp_path))

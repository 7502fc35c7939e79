"""`tatumflow morph`: files of each place, a page, and figures beside chance, with a stub of the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tatumflow.engine.errors import SettingError
from tatumflow.engine.melodies.bundle import MelodyBundle, MelodyManifest, PlayerShares
from tatumflow.engine.melodies.features import NUM_STYLE_FEATURES
from tatumflow.engine.melodies.melody import GridNote, Melody, event_of, melody_of
from tatumflow.engine.melodies.melody_model import Posterior
from tatumflow.engine.midi.midi_file import MidiTrack, read_midi, write_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.model.model_folder import GraphFile
from tatumflow.live.commands import morph as command
from tatumflow.live.commands.melody_files import read_melodies
from tatumflow.live.commands.morph import MorphOptions, morph
from tatumflow.live.commands.morph_page import melody_svg

DIMENSIONS = 4
ATTRIBUTES = {"up": 12.0, "down": -12.0, "blues": 1.0}


class PitchModel:
    """Encodes a melody as its mean pitch and decodes it as a repeated one."""

    bars = 2

    def __init__(self, bundle: MelodyBundle) -> None:
        self.manifest = bundle.manifest

    def encode(self, melodies: Sequence[Melody]) -> Posterior:
        mean = np.zeros((len(melodies), DIMENSIONS), np.float32)
        mean[:, 0] = [np.mean([note.pitch for note in melody.notes()]) for melody in melodies]
        return Posterior(mean, np.ones_like(mean))

    def decode(self, latents: np.ndarray, temperature: float = 0.0, rng: object = None) -> list[Melody]:
        return [melody_of([GridNote(4 * i, 4, round(float(z[0]))) for i in range(8)], 2) for z in latents]


@dataclass(frozen=True)
class Files:
    folder: Path
    low: Path
    high: Path


@pytest.fixture(name="files")
def two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    paths = []
    for name, pitch, tempo in (("low", 50, 100.0), ("high", 66, 140.0)):
        notes = [Note(60 / tempo * i, 55 / tempo, pitch, 80) for i in range(16)]
        paths.append(tmp_path / f"{name}.mid")
        write_midi(paths[-1], [MidiTrack("melody", notes)], tempo)
    monkeypatch.setattr(command, "load_melodies", lambda _: MelodyBundle(manifest(), tmp_path))
    monkeypatch.setattr(command, "melodies_path", lambda _: tmp_path)
    monkeypatch.setattr(command, "OnnxMelodyModel", PitchModel)
    return Files(tmp_path, *paths)


def manifest() -> MelodyManifest:
    graph = GraphFile(file="a.onnx", sha256="0" * 64, precision="fp32", bytes=1)
    zeros = (0.0,) * NUM_STYLE_FEATURES
    return MelodyManifest(
        format_version=1,
        name="pitches",
        family="music_vae",
        bars=2,
        segments=1,
        latent_dim=DIMENSIONS,
        encoder=graph,
        conductor=graph,
        decoder=graph,
        opset=21,
        attributes={
            "up": (12.0, 0.0, 0.0, 0.0),
            "down": (-12.0, 0.0, 0.0, 0.0),
            "blues": (1.0, 0.0, 0.0, 0.0),
        },
        shares=PlayerShares(
            players=("down", "up"),
            mean=zeros,
            scale=(1.0,) * NUM_STYLE_FEATURES,
            weight=(zeros, zeros),
            bias=(0.0, 0.0),
            real=(0.6, -1.0),
        ),
        chance_distance=0.9,
        licence="CC0",
        corpora=(),
        metrics=(),
        created_with="0",
    )


def pitches(path: Path) -> set[int]:
    return {note.pitch for note in read_midi(path).notes}


def test_the_places_between_two_files_are_written(files: Files, capsys: pytest.CaptureFixture[str]):
    out = files.folder / "out"
    morph(MorphOptions([files.low, files.high], out, steps=5, sound=False))
    for way in ("slerp", "linear"):
        assert [pitches(out / f"{way}-{i}.mid") for i in range(1, 6)] == [{50}, {54}, {58}, {62}, {66}]
        assert [read_midi(out / f"{way}-{i}.mid").tempo for i in (1, 3, 5)] == [
            pytest.approx(tempo, rel=1e-4) for tempo in (100, 120, 140)
        ]
        # Two melodies of two bars, five times, one after the other.
        assert len(read_midi(out / f"{way}.mid").notes) == 5 * 16
        ends = read_midi(out / f"{way}-5.mid").notes
        joined = read_midi(out / f"{way}.mid").notes
        assert joined[-1].offset > 4 * ends[-1].offset
    page = (out / "index.html").read_text()
    assert page.count("<svg") == 10
    assert "low to high" in page
    assert "MIDI only: no sound was requested." in page
    printed = capsys.readouterr().out
    assert "slerp: steps that sound another pitch than the files: 0% at the first, 0% at the last" in printed
    assert "two melodies of the corpus at random: 90%" in printed


def test_one_file_is_moved_along_attributes(files: Files, capsys: pytest.CaptureFixture[str]):
    out = files.folder / "out"
    morph(MorphOptions([files.low], out, 3, ["up", "blues"], ["down"], strength=0.5, sound=False))
    assert [pitches(out / f"moved-{i}.mid") for i in range(1, 4)] == [{50}, {56}, {62}]
    assert read_midi(out / "moved-3.mid").tempo == pytest.approx(100, rel=1e-4)
    printed = capsys.readouterr().out
    assert "100% moved, 0% only decoded; two melodies of the corpus at random: 90%" in printed
    assert "share of up by the classifier: 50% before, 50% after; chance 50%\n" in printed
    assert "50% before, 50% after; chance 50%, in real melodies held out 60%" in printed
    assert "share of blues: the classifier does not know it" in printed


@pytest.mark.parametrize(
    ("count", "added", "message"),
    [
        (1, (), "give a second MIDI file to morph to, or --to or --add"),
        (2, ("up",), "move one file"),
        (0, (), "give one or two MIDI files"),
        (3, (), "give one or two MIDI files"),
    ],
)
def test_files_and_attributes_have_to_fit(count: int, added: tuple[str, ...], message: str):
    with pytest.raises(SettingError, match=message):
        MorphOptions([Path("a.mid")] * count, Path("out"), added=added)


def test_an_unknown_attribute_writes_nothing(files: Files):
    out = files.folder / "out"
    with pytest.raises(SettingError, match="dixie: pitches has no such attribute; choose from blues, down"):
        morph(MorphOptions([files.low], out, added=["dixie"], sound=False))
    assert not out.exists()


def test_the_tempo_is_the_files_or_a_number(files: Files):
    assert read_melodies(files.low, "file", 2).tempo == pytest.approx(100, rel=1e-4)
    twice = read_melodies(files.low, "200", 2)
    assert [note.steps for note in twice.melodies[0].notes()] == [8] * 4
    with pytest.raises(SettingError, match="--tempo: 'fast' is not file, estimate or 4 to 1000 bpm"):
        read_melodies(files.low, "fast", 2)


def test_sound_files_are_linked_where_the_synthesizer_makes_them(
    files: Files, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(command, "render", lambda tracks, settings: np.zeros(10, np.int16))
    monkeypatch.setattr(command, "write_sound", lambda path, samples: path.write_bytes(b"sound"))
    morph(MorphOptions([files.low, files.high], files.folder / "out", 2))
    page = (files.folder / "out" / "index.html").read_text()
    assert page.count("<audio") == 6
    assert (files.folder / "out" / "slerp-1.mp3").is_file()
    assert "MIDI only" not in page


def test_titles_are_escaped(files: Files):
    strange = files.folder / "<b>.mid"
    strange.write_bytes(files.low.read_bytes())
    morph(MorphOptions([strange], files.folder / "out", 2, ["up"], sound=False))
    page = (files.folder / "out" / "index.html").read_text()
    assert "<b>" not in page
    assert "&lt;b&gt; + up" in page


def test_a_roll_shows_each_note_and_bar():
    svg = melody_svg([melody_of([GridNote(0, 4, 60), GridNote(8, 2, 64)], 2)], 60, 64)
    assert svg.count("<rect") == 2
    assert svg.count("<line") == 2
    assert 'width="19"' in svg
    assert event_of(60) > 1

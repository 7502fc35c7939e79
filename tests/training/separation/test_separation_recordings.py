"""Recordings in stems: folders of them, MUSDB18, and excerpts."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from separation_samples import RATE, Ramp, tones, write_recording
from torch.utils.data import DataLoader

from tatumflow.engine.errors import CorpusError, SettingError, TatumFlowError
from tatumflow.engine.separation.stems import FOUR_STEMS, QUARTET, VOCALS_OTHER, parse_stems
from tatumflow.training.separation.data import musdb
from tatumflow.training.separation.data.augmentations import Augmentation
from tatumflow.training.separation.data.parts import mixture_of, stems_of
from tatumflow.training.separation.data.segments import (
    Place,
    RandomSegments,
    SequentialSegments,
)
from tatumflow.training.separation.data.stem_folder import read_stem_folder

PITCHES = {"vocals": 440, "drums": 1000, "bass": 80, "other": 600}


def sources(length: int = 3000) -> dict[str, np.ndarray]:
    return {name: tones(length, pitch) for name, pitch in PITCHES.items()}


def test_a_folder_gives_binary_stems_whose_other_is_the_rest(tmp_path: Path):
    write_recording(tmp_path / "a" / "song", sources())
    (recording,) = read_stem_folder(tmp_path, VOCALS_OTHER)
    assert (recording.name, recording.rate, recording.length) == ("a/song", RATE, 3000)
    parts = recording.read(500, 1000)
    assert parts.shape == (3, 2, 1000)
    rest = sum(tones(3000, PITCHES[name]) for name in ("drums", "bass", "other"))
    np.testing.assert_allclose(parts[1], np.asarray(rest)[500:1500].T, atol=1e-3)
    assert not parts[2].any()


def test_stems_that_leave_sources_out_leave_them_in_the_mixture(tmp_path: Path):
    write_recording(tmp_path / "song", sources())
    (recording,) = read_stem_folder(tmp_path, parse_stems("bass"))
    parts = recording.read(0, 3000)
    whole = sum(tones(3000, pitch) for pitch in PITCHES.values())
    assert stems_of(parts).shape == (1, 2, 3000)
    np.testing.assert_allclose(mixture_of(parts), np.asarray(whole).T, atol=1e-3)


def test_a_mixture_file_tells_what_is_in_no_stem(tmp_path: Path):
    bass, mixture = tones(2000, 80), tones(2000, 80) + tones(2000, 900)
    write_recording(tmp_path / "song", {"bass": bass, "mixture": mixture}, suffix=".wav")
    (recording,) = read_stem_folder(tmp_path, parse_stems("bass"))
    np.testing.assert_allclose(recording.read(0, 2000)[1], tones(2000, 900).T, atol=1e-3)


def test_an_excerpt_beyond_the_end_is_filled_with_zeros(tmp_path: Path):
    write_recording(tmp_path / "song", sources(100) | {"vocals": tones(50, 440)})
    (recording,) = read_stem_folder(tmp_path, FOUR_STEMS)
    parts = recording.read(90, 40)
    assert parts.shape == (5, 2, 40)
    assert parts[1, :, :10].any()
    assert not parts[:, :, 10:].any()
    assert not parts[0].any()
    assert not recording.read(500, 10).any()


def test_mono_files_sound_on_both_sides(tmp_path: Path):
    write_recording(tmp_path / "song", {"bass": tones(300, 80)[:, 0]})
    (recording,) = read_stem_folder(tmp_path, parse_stems("bass"))
    left, right = recording.read(0, 300)[0]
    assert left.any()
    np.testing.assert_array_equal(left, right)


def test_folders_that_cannot_be_used_are_named(tmp_path: Path):
    with pytest.raises(CorpusError, match="no such folder"):
        read_stem_folder(tmp_path / "none", QUARTET)
    write_recording(tmp_path / "song", sources())
    with pytest.raises(CorpusError, match=r"horn\.flac"):
        read_stem_folder(tmp_path, QUARTET)
    write_recording(tmp_path / "song", {"bass": tones(300, 80)}, rate=16_000)
    with pytest.raises(CorpusError, match="16000 Hz"):
        read_stem_folder(tmp_path, FOUR_STEMS)


def test_a_file_that_is_no_sound_is_named(tmp_path: Path):
    write_recording(tmp_path / "song", sources())
    (recording,) = read_stem_folder(tmp_path, FOUR_STEMS)
    (tmp_path / "song" / "bass.flac").write_bytes(b"no sound")
    with pytest.raises(CorpusError, match=r"bass\.flac"):
        recording.read(0, 10)
    with pytest.raises(CorpusError, match=r"bass\.flac"):
        read_stem_folder(tmp_path, FOUR_STEMS)


def test_random_segments_come_again_with_the_seed_and_differ_by_epoch():
    recordings = [Ramp("long", length=9000), Ramp("short", length=3000)]
    drawn = RandomSegments(recordings, 500, count=40, seed=3)
    first = [drawn[i].numpy() for i in range(len(drawn))]
    again = RandomSegments(recordings, 500, count=40, seed=3)
    np.testing.assert_array_equal(first[7], again[7].numpy())
    drawn.epoch = 1
    assert not np.array_equal(first[7], drawn[7].numpy())
    starts = {float(parts[0, 0, 0]) for parts in first}
    assert len(starts) > 30
    assert all(parts.shape == (3, 2, 500) and parts.all() for parts in first)


def test_random_segments_are_augmented_and_keep_their_length():
    augmentation = Augmentation(stretching=1, shifting=1, frequency_masking=1, time_masking=1, mixing_up=1)
    drawn = RandomSegments([Ramp()], 2000, count=2, augmentation=augmentation)
    parts = drawn[0].numpy()
    assert parts.shape == (3, 2, 2000)
    assert np.isfinite(parts).all()
    assert not np.array_equal(parts, RandomSegments([Ramp()], 2000, count=2)[0].numpy())


def test_a_recording_shorter_than_a_segment_is_filled_up():
    parts = RandomSegments([Ramp(length=100)], 500, count=1)[0]
    assert parts.shape == (3, 2, 500)
    assert parts[:, :, :100].all()
    assert not parts[:, :, 100:].any()


def test_sequential_segments_cover_every_sample_with_their_overlap():
    recordings = [Ramp(length=1000), Ramp(length=90)]
    segments = SequentialSegments(recordings, 300, overlap=100)
    assert [place for _, place in segments] == [
        *(Place(0, start) for start in (0, 200, 400, 600, 800)),
        Place(1, 0),
    ]
    covered = np.zeros(1000, dtype=int)
    for parts, place in segments:
        if place.recording == 0:
            inside = min(300, 1000 - place.start)
            np.testing.assert_allclose(parts[0, 0, :inside], 1 + (place.start + np.arange(inside)) / 1e6)
            covered[place.start : place.start + inside] += 1
    assert covered.min() >= 1


def test_a_loader_makes_batches_of_excerpts_and_their_places():
    segments = SequentialSegments([Ramp(length=1000)], 300, overlap=100)
    parts, place = next(iter(DataLoader(segments, batch_size=2)))
    assert parts.shape == (2, 3, 2, 300)
    assert place.start.tolist() == [0, 200]
    (drawn,) = DataLoader(RandomSegments([Ramp()], 200, count=4), batch_size=4)
    assert drawn.shape == (4, 3, 2, 200)


def test_excerpts_that_cannot_be_are_refused():
    with pytest.raises(CorpusError, match="no recordings"):
        RandomSegments([], 10, 1)
    with pytest.raises(CorpusError, match="44100 Hz"):
        RandomSegments([Ramp(), Ramp("other", rate=44_100)], 10, 1)
    with pytest.raises(SettingError, match="overlap"):
        SequentialSegments([Ramp()], 10, 10)


class FakeSource:
    def __init__(self, track: "FakeTrack", value: float) -> None:
        self.track, self.value = track, value

    @property
    def audio(self) -> np.ndarray:
        """The package reads a chunk given in seconds."""
        start = round(self.track.chunk_start * self.track.rate)
        length = round(self.track.chunk_duration * self.track.rate)
        return self.value + np.repeat(np.arange(start, start + length)[:, None], 2, axis=1) / 1e6


class FakeTrack:
    name, rate, duration = "Artist - Title", RATE, 2.0

    def __init__(self) -> None:
        self.chunk_start, self.chunk_duration = 0.0, 0.0
        self.sources = {name: FakeSource(self, i + 1.0) for i, name in enumerate(PITCHES)}


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The musdb package with one track; returns its arguments."""
    arguments: dict[str, object] = {}

    def database(**given: object) -> SimpleNamespace:
        arguments.update(given)
        return SimpleNamespace(tracks=[FakeTrack()])

    monkeypatch.setitem(sys.modules, "musdb", SimpleNamespace(DB=database))
    monkeypatch.setattr(musdb.shutil, "which", lambda name: f"/usr/bin/{name}")
    return arguments


def test_musdb_tracks_are_read_in_any_stems(package: dict[str, object], tmp_path: Path):
    (recording,) = musdb.read_musdb(tmp_path, "valid", VOCALS_OTHER)
    assert (package["subsets"], package["split"]) == ("train", "valid")
    assert (recording.name, recording.length) == ("Artist - Title", 2 * RATE)
    parts = recording.read(2 * RATE - 100, 150)
    assert parts.shape == (3, 2, 150)
    at = (2 * RATE - 100 + np.arange(100)) / 1e6
    np.testing.assert_allclose(parts[0, 0, :100], 1 + at, atol=1e-5)
    np.testing.assert_allclose(parts[1, 1, :100], 2 + 3 + 4 + 3 * at, atol=1e-5)
    assert not parts[:, :, 100:].any()
    assert not recording.read(2 * RATE, 10).any()
    (bass,) = musdb.read_musdb(tmp_path, "test", parse_stems("bass"))
    assert package["subsets"] == "test"
    np.testing.assert_allclose(mixture_of(bass.read(0, 5)), mixture_of(recording.read(0, 5)), atol=1e-5)


def test_musdb_says_what_is_missing(
    package: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with pytest.raises(CorpusError, match="'horn'"):
        musdb.read_musdb(tmp_path, "train", QUARTET)
    monkeypatch.setattr(musdb.shutil, "which", lambda name: None)
    with pytest.raises(TatumFlowError, match="apt install ffmpeg"):
        musdb.read_musdb(tmp_path, "train", FOUR_STEMS)
    monkeypatch.setitem(sys.modules, "musdb", None)
    with pytest.raises(TatumFlowError, match=r"\[separation\]"):
        musdb.read_musdb(tmp_path, "train", FOUR_STEMS)

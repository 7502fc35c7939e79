"""`tatumflow separate`: any file into its stems, as long as it was, at the rate it had."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from rich.console import Console

from tatumflow.engine.errors import AudioFileError, BundleError, SettingError
from tatumflow.engine.separation.stems import parse_stems
from tatumflow.engine.separation.stft import StftSettings
from tatumflow.live.commands.separate import SeparateOptions, separate, separate_with

QUIET = Console(quiet=True)
SHARES = (0.5, 0.3, 0.2)


class Shares:
    """A model whose three stems are fixed shares of the mixture."""

    stems = parse_stems("horn,bass,drums")
    rate = 8000
    transform = StftSettings(256, 64)
    block = 2
    most = 8

    def reset(self) -> None:
        pass

    def separate(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        halves = planes[:2], planes[2:]
        return np.concatenate([np.float32(share) * half for half in halves for share in SHARES])


def tone(path: Path, rate: int = 8000, seconds: float = 1.3, channels: int = 2) -> NDArray[np.float64]:
    time = np.arange(round(rate * seconds)) / rate
    sides = [0.5 / (side + 1) * np.sin(2 * np.pi * 300 * time) for side in range(channels)]
    samples = np.stack(sides, axis=1)
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return samples


def stems_of(paths: list[Path]) -> list[NDArray[np.float64]]:
    return [np.asarray(soundfile.read(path, always_2d=True)[0], dtype=np.float64) for path in paths]


@pytest.mark.parametrize("rate", [8000, 11_025, 48_000])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_stems_are_as_long_as_the_file_and_at_its_rate(tmp_path: Path, rate: int, channels: int):
    samples = tone(tmp_path / "in.wav", rate, channels=channels)
    paths = separate_with(Shares(), SeparateOptions(tmp_path / "in.wav", tmp_path / "out"), QUIET)
    assert [path.name for path in paths] == ["horn.flac", "bass.flac", "drums.flac"]
    heard = samples[:, [0, 0]] if channels == 1 else samples[:, :2]
    for path, stem, share in zip(paths, stems_of(paths), SHARES, strict=True):
        assert soundfile.info(path).samplerate == rate
        assert stem.shape == heard.shape
        inside = slice(rate // 10, -rate // 10)
        np.testing.assert_allclose(stem[inside], share * heard[inside], atol=2e-3)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in paths)


def test_stems_can_be_chosen_and_put_together(tmp_path: Path):
    samples = tone(tmp_path / "in.wav")
    options = SeparateOptions(tmp_path / "in.wav", tmp_path / "out", stems="drums,band=horn+bass")
    paths = separate_with(Shares(), options, QUIET)
    assert [path.name for path in paths] == ["drums.flac", "band.flac"]
    drums, band = stems_of(paths)
    np.testing.assert_allclose(drums, 0.2 * samples, atol=1e-4)
    np.testing.assert_allclose(band, 0.8 * samples, atol=1e-4)


def test_stems_that_hold_several_sources_are_written_under_their_names(tmp_path: Path):
    samples = tone(tmp_path / "in.wav")
    model = Shares()
    model.stems = parse_stems("horn,rhythm=bass+piano,drums")
    paths = separate_with(model, SeparateOptions(tmp_path / "in.wav", tmp_path / "out"), QUIET)
    assert [path.name for path in paths] == ["horn.flac", "rhythm.flac", "drums.flac"]
    for stem, share in zip(stems_of(paths), SHARES, strict=True):
        np.testing.assert_allclose(stem, share * samples, atol=1e-4)


@pytest.mark.parametrize("length", [1, 65_536, 150_000])
def test_any_length_is_kept(tmp_path: Path, length: int):
    samples = np.random.default_rng(0).uniform(-0.3, 0.3, (length, 2))
    soundfile.write(tmp_path / "in.wav", samples, 8000, subtype="FLOAT")
    (horn, *_) = stems_of(
        separate_with(Shares(), SeparateOptions(tmp_path / "in.wav", tmp_path / "out"), QUIET)
    )
    assert horn.shape == (length, 2)
    np.testing.assert_allclose(horn, 0.5 * samples, atol=1e-4)


def test_what_is_no_number_is_silence(tmp_path: Path):
    samples = np.full((4000, 2), 0.1)
    samples[1000:1010] = np.nan
    soundfile.write(tmp_path / "in.wav", samples, 8000, subtype="FLOAT")
    for stem in stems_of(
        separate_with(Shares(), SeparateOptions(tmp_path / "in.wav", tmp_path / "out"), QUIET)
    ):
        assert np.isfinite(stem).all()
        assert not stem[1001:1009].round(3).any()


def test_what_cannot_be_separated_is_refused(tmp_path: Path):
    source = tmp_path / "in.wav"
    with pytest.raises(AudioFileError, match=r"in\.wav: no such file"):
        separate_with(Shares(), SeparateOptions(source, tmp_path / "out"), QUIET)
    source.write_text("words")
    with pytest.raises(AudioFileError, match="is no sound file"):
        separate_with(Shares(), SeparateOptions(source, tmp_path / "out"), QUIET)
    soundfile.write(source, np.zeros((0, 2)), 8000)
    with pytest.raises(AudioFileError, match="holds no sound"):
        separate_with(Shares(), SeparateOptions(source, tmp_path / "out"), QUIET)
    tone(source)
    with pytest.raises(SettingError, match="has no 'piano'; choose from horn, bass, drums"):
        separate_with(Shares(), SeparateOptions(source, tmp_path / "out", stems="piano"), QUIET)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(AudioFileError, match="check the file, the folder and the disk"):
        separate_with(Shares(), SeparateOptions(source, tmp_path / "file"), QUIET)
    with pytest.raises(BundleError, match="no such separator"):
        separate(SeparateOptions(source, tmp_path / "out", model="none-such"), QUIET)

"""Recordings with captions, their split, their codes, and segments of them."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from tiny_musicgen import CODEBOOKS, RATE, write_recordings

from tatumflow.engine.errors import AudioFileError, CorpusError, SettingError
from tatumflow.training.models.musicgen.codec import Codec
from tatumflow.training.models.musicgen.pretrained import load_pretrained
from tatumflow.training.musicgen.recordings import Recording, read_recordings
from tatumflow.training.musicgen.segments import RandomSegments, SequentialSegments
from tatumflow.training.musicgen.sound import read_sound, seconds_of, write_sound
from tatumflow.training.musicgen.token_cache import CodedRecording, TokenCache


@pytest.fixture(scope="module")
def codec(tiny_musicgen: Path) -> Codec:
    return Codec(load_pretrained(str(tiny_musicgen)).model)


def captions(folder: Path, *lines: object) -> Path:
    folder.mkdir(exist_ok=True)
    text = "\n".join(json.dumps(line) for line in lines)
    (folder / "captions.jsonl").write_text(text, encoding="utf-8")
    return folder


def test_captions_lie_in_a_list_or_beside_the_recordings(recordings: Path, tmp_path: Path):
    listed = read_recordings(recordings, "train", 0, 0)
    assert [(found.name, found.caption) for found in listed][:2] == [
        ("ballad.wav", "ballad solo in F"),
        ("bebop.wav", "bebop solo in F"),
    ]
    for found in listed:
        folder = tmp_path / found.name[0]
        folder.mkdir(exist_ok=True)
        (folder / found.name).write_bytes(found.path.read_bytes())
        (folder / found.name).with_suffix(".txt").write_text(f"{found.caption}\n", encoding="utf-8")
    beside = read_recordings(tmp_path, "train", 0, 0)
    assert {(found.path.name, found.caption) for found in beside} == {
        (found.path.name, found.caption) for found in listed
    }


def test_takes_of_one_piece_lie_on_one_side(recordings: Path):
    lines = [{"file": f"take{i}.wav", "caption": "solo", "piece": f"piece {i // 3}"} for i in range(12)]
    folder = captions(recordings.parent / "takes", *lines)
    for line in lines:
        (folder / line["file"]).write_bytes(b"")
    train, val = (read_recordings(folder, side, 0.25, 5) for side in ("train", "val"))
    assert (len(train), len(val)) == (9, 3)
    assert len({found.piece for found in val}) == 1
    assert not {found.piece for found in train} & {found.piece for found in val}
    assert read_recordings(folder, "val", 0.25, 5) == val
    assert {read_recordings(folder, "val", 0.25, seed)[0].piece for seed in range(20)} != {val[0].piece}


def test_folders_of_both_sides_are_the_split(tmp_path: Path):
    for side in ("train", "val"):
        write_recordings(tmp_path / side, {f"{side}.wav": "solo"}, seconds=0.1)
    assert [found.name for found in read_recordings(tmp_path, "val", 0.5, 0)] == ["val.wav"]
    assert [found.name for found in read_recordings(tmp_path, "train", 0.5, 0)] == ["train.wav"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("no object", "line 1 is not"),
        ({"file": "a.wav"}, "line 1 is not"),
        ({"file": "a.wav", "caption": ""}, "line 1 is not"),
        ({"file": "a.wav", "caption": "solo", "title": "x"}, "line 1 is not"),
        ({"file": "a.wav", "caption": "solo"}, r"a\.wav is not a file"),
        ({"file": "../outside.wav", "caption": "solo"}, "is not a file in"),
    ],
)
def test_a_malformed_caption_is_named_in_one_line(tmp_path: Path, line: object, message: str):
    (tmp_path / "outside.wav").write_bytes(b"")
    folder = captions(tmp_path / "recordings", line)
    with pytest.raises(CorpusError, match=message) as caught:
        read_recordings(folder, "train", 0, 0)
    assert "\n" not in str(caught.value)


def test_recordings_without_captions_or_none_are_refused(tmp_path: Path):
    with pytest.raises(CorpusError, match="no such folder"):
        read_recordings(tmp_path / "none", "train", 0, 0)
    with pytest.raises(CorpusError, match="holds no recordings"):
        read_recordings(tmp_path, "train", 0, 0)
    soundfile.write(tmp_path / "a.wav", np.zeros(10), RATE)
    with pytest.raises(CorpusError, match=r"write one in a\.txt"):
        read_recordings(tmp_path, "train", 0, 0)


def test_codes_are_made_once_and_again_when_damaged(codec: Codec, recordings: Path, tmp_path: Path):
    found = read_recordings(recordings, "train", 0, 0)
    cache, said = TokenCache(tmp_path, codec), []
    first = cache.coded(found, said.append)
    assert said == [f"4 of 4 recordings encoded, in {tmp_path / cache._folder.name}"]
    sound = torch.from_numpy(read_sound(found[0].path, RATE, 1))
    assert first[0].codes.tolist() == codec.encode(sound).tolist()
    said.clear()
    again = cache.coded(found, said.append)
    assert not said
    assert all(np.array_equal(a.codes, b.codes) for a, b in zip(first, again, strict=True))
    next(tmp_path.rglob("*.safetensors")).write_bytes(b"damaged")
    cache.coded(found, said.append)
    assert said == [f"1 of 4 recordings encoded, in {tmp_path / cache._folder.name}"]


def test_codes_belong_to_the_file_and_to_the_audio_encoder(
    codec: Codec, recordings: Path, stereo_musicgen: Path, tmp_path: Path
):
    folder = write_recordings(tmp_path / "copy", {"other.wav": "solo"}, seconds=0.2)
    (folder / "other.wav").write_bytes((recordings / "jazz.wav").read_bytes())
    found = read_recordings(recordings, "train", 0, 0)
    TokenCache(tmp_path / "tokens", codec).coded(found, print)
    said: list[str] = []
    TokenCache(tmp_path / "tokens", codec).coded(read_recordings(folder, "train", 0, 0), said.append)
    assert not said, "the same sound under another name has its codes"
    stereo = Codec(load_pretrained(str(stereo_musicgen)).model)
    coded = TokenCache(tmp_path / "tokens", stereo).coded(found[:1], said.append)
    assert said[0].startswith("1 of 1 recordings encoded")
    assert coded[0].codes.shape[0] == 2 * CODEBOOKS


def test_an_unreadable_recording_is_left_out_and_named(codec: Codec, recordings: Path, tmp_path: Path):
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    broken = Recording(tmp_path / "broken.wav", "broken.wav", "solo", "broken")
    good = read_recordings(recordings, "train", 0, 0)[:1]
    said: list[str] = []
    coded = TokenCache(tmp_path / "tokens", codec).coded([broken, *good], said.append)
    assert [one.recording.name for one in coded] == [good[0].name]
    assert "broken.wav: cannot be read" in said[0]
    with pytest.raises(CorpusError, match="none of the recordings"):
        TokenCache(tmp_path / "tokens", codec).coded([broken], said.append)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SettingError, match=r"data\.tokens"):
        TokenCache(tmp_path / "file", codec).coded(good, said.append)


def coded(*lengths: int) -> list[CodedRecording]:
    """Return recordings whose codes count their frames, hundreds apart."""
    return [
        CodedRecording(
            Recording(Path(f"{i}.wav"), f"{i}.wav", f"caption {i}", str(i)),
            np.tile(np.arange(length, dtype=np.int16) + 100 * i, (2, 1)),
        )
        for i, length in enumerate(lengths)
    ]


def test_random_segments_repeat_and_go_on_where_a_run_stopped():
    whole = list(RandomSegments(coded(40, 6), 10, 4, 8, seed=3))
    rest = list(RandomSegments(coded(40, 6), 10, 4, 8, seed=3, start=lambda: 5))
    assert (len(whole), len(rest)) == (8, 3)
    for first, second in zip(whole[5:], rest, strict=True):
        assert torch.equal(first.codes, second.codes)
    assert not torch.equal(whole[0].codes, whole[1].codes)
    for batch in whole:
        for codes, number, caption in zip(batch.codes, batch.recording.tolist(), batch.captions, strict=True):
            length = int((codes[0] >= 0).sum())
            assert length == (10, 6)[number]
            assert (codes[:, length:] == -1).all()
            assert (codes[0, :length].diff() == 1).all()
            assert caption == f"caption {number}"


def test_sequential_segments_cover_every_frame_once():
    batches = list(SequentialSegments(coded(25, 6), 10, 3))
    assert [len(batch.codes) for batch in batches] == [3, 1]
    seen = torch.cat([batch.codes[:, 0].flatten() for batch in batches])
    assert sorted(seen[seen >= 0].tolist()) == [*range(25), *range(100, 106)]
    assert [len(batch.codes) for batch in SequentialSegments(coded(100), 10, 3, most=4)] == [3, 1]


def test_sound_is_resampled_and_mixed(tmp_path: Path):
    time = np.arange(8000) / 8000
    stereo = np.stack([np.sin(2 * np.pi * 200 * time), np.zeros(8000)], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, 8000, subtype="FLOAT")
    assert seconds_of(tmp_path / "a.wav") == 1.0
    mono = read_sound(tmp_path / "a.wav", 4000, 1)
    assert mono.shape == (1, 4000)
    expected = 0.5 * np.sin(2 * np.pi * 200 * np.arange(4000) / 4000)
    assert np.abs(mono[0] - expected)[100:-100].max() < 0.01
    assert read_sound(tmp_path / "a.wav", 8000, 2).shape == (2, 8000)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3"])
def test_sound_is_written_in_the_format_of_its_name(tmp_path: Path, suffix: str):
    path = tmp_path / f"a{suffix}"
    write_sound(path, np.full((1, 32_000), 2.0, np.float32), 32_000)
    samples, rate = soundfile.read(path)
    assert rate == 32_000
    assert soundfile.info(path).format == suffix[1:].upper()
    assert samples.max() == pytest.approx(1, abs=0.3), "clipped, not wrapped"


def test_a_file_that_cannot_be_written_or_read_is_named(tmp_path: Path):
    silence = np.zeros((1, 10), np.float32)
    with pytest.raises(SettingError, match=r"end it in \.wav"):
        write_sound(tmp_path / "a.xyz", silence, RATE)
    with pytest.raises(AudioFileError, match="cannot be written"):
        write_sound(tmp_path / "none" / "a.wav", silence, RATE)
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), RATE)
    with pytest.raises(AudioFileError, match="is empty"):
        read_sound(tmp_path / "empty.wav", RATE, 1)
    soundfile.write(tmp_path / "nan.wav", np.full(9, np.nan), RATE, subtype="FLOAT")
    with pytest.raises(AudioFileError, match="no numbers"):
        read_sound(tmp_path / "nan.wav", RATE, 1)

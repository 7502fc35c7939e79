"""`data prepare` by chunks: the same bits from any number of processes, and after any interruption."""

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil
import pytest
from corpus_samples import SCALE, archive, make_pijama, write_pijama_midi
from many_files import write_many
from rich.console import Console

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data import commands
from tatumflow.training.data.commands import prepare
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.corpora.piece import BrokenFile, Piece
from tatumflow.training.data.packing import PackedCorpus, pack
from tatumflow.training.data.prepare.parts import CHUNK_FILES, Chunk, write_part
from tatumflow.training.data.prepare.processes import write_parts
from tatumflow.training.data.windows import Windows

FILES = 3 * CHUNK_FILES + 5


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_many(tmp_path_factory.mktemp("source") / "many", FILES)


@pytest.fixture(scope="module")
def whole(many: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The result of one process that nothing interrupts."""
    return content(prepared(many, tmp_path_factory.mktemp("whole") / "packed"))


def prepared(source: Path, out: Path, jobs: int = 1) -> Path:
    return prepare([source], out, console=Console(file=io.StringIO()), jobs=jobs).out


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def parts_of(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in out.with_name(f".{out.name}.prepare").glob("part-*")}


def interrupt_after(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Interrupt the reading after so many chunks."""

    def some(chunks: Sequence[Chunk], jobs: int = 1) -> Iterator[int]:
        yield from write_parts(chunks[:most], jobs)
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "write_parts", some)


def test_nothing_is_lost_and_nothing_stays_beside(
    many: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    index = PackedCorpus.open(prepared(many, tmp_path / "packed")).index
    names = [piece.name for piece in index.pieces] + [file.path for file in index.broken]
    assert sorted(names) == sorted(path.relative_to(many).as_posix() for path in many.rglob("*.mid"))
    assert len(index.broken) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["packed"]
    assert content(tmp_path / "packed") == whole


def test_two_processes_give_the_same_bits(many: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    assert content(prepared(many, tmp_path / "packed", jobs=2)) == whole


def test_an_interrupted_job_goes_on(
    many: Path, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "packed"
    with monkeypatch.context() as patched:
        interrupt_after(patched, 2)
        with pytest.raises(KeyboardInterrupt):
            prepared(many, out)
        before = parts_of(out)
        assert len(before) == 2
        interrupt_after(patched, 0)
        with pytest.raises(KeyboardInterrupt):
            prepared(many, out)
    assert parts_of(out) == before, "what was read is not read again"
    # A part that a full disk or a dying machine has cut.
    damaged = sorted(before)[1]
    damaged.write_bytes(damaged.read_bytes()[:-100])
    assert content(prepared(many, out)) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["packed"]


@pytest.mark.parametrize("change", ["file", "seed"])
def test_another_job_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    source, out = tmp_path / "source", tmp_path / "packed"
    for number in range(CHUNK_FILES + 1):
        write_pijama_midi(source / f"{number}.mid", SCALE)
    with monkeypatch.context() as patched:
        interrupt_after(patched, 1)
        with pytest.raises(KeyboardInterrupt):
            prepared(source, out)
    if change == "file":
        write_pijama_midi(source / "0.mid", SCALE[:4])
    prepare([source], out, seed=int(change == "seed"), console=Console(file=io.StringIO()))
    fresh = tmp_path / "fresh"
    prepare([source], fresh, seed=int(change == "seed"), console=Console(file=io.StringIO()))
    assert content(out) == content(fresh)


def test_an_archive_is_resumed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = archive(make_pijama(tmp_path / "pijama")), tmp_path / "packed"
    with monkeypatch.context() as patched:
        interrupt_after(patched, 1)
        with pytest.raises(KeyboardInterrupt):
            prepared(source, out)
    before = parts_of(out)
    with monkeypatch.context() as patched:
        interrupt_after(patched, 0)
        with pytest.raises(KeyboardInterrupt):
            prepared(source, out)
    assert len(before) == 1
    assert parts_of(out) == before
    assert len(PackedCorpus.open(prepared(source, out)).index.pieces) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_command_leaves_no_process_and_is_resumed(
    many: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "packed"
    command = [
        sys.executable,
        "-m",
        "tatumflow.live.cli",
        "data",
        "prepare",
        str(many),
        "-o",
        str(out),
        "-j",
        "2",
    ]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while not parts_of(out):
        assert running.poll() is None
        time.sleep(0.02)
    workers = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGKILL)
    running.wait()
    _, left = psutil.wait_procs(workers, timeout=60)
    assert not left
    assert not out.exists()
    assert content(prepared(many, out)) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["packed"], (
        "half of a packed corpus may have been left"
    )


def _die(_: object) -> Piece | BrokenFile:
    os._exit(9)


def test_a_process_that_dies_is_one_line(tmp_path: Path) -> None:
    chunks = [Chunk(tmp_path / f"{number}.npz", [number], _die, {}) for number in range(2)]
    with pytest.raises(CorpusError, match="run the same command again with fewer --jobs") as caught:
        list(write_parts(chunks, jobs=2))
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be written"):
        write_part(Chunk(tmp_path / "missing" / "0.npz", [], _die, {}))


def pieces() -> list[Piece]:
    rng = np.random.default_rng(5)
    made: list[Piece] = []
    for number in range(12):
        count = int(rng.integers(20, 200))
        onset = np.cumsum(rng.uniform(0.05, 0.4, count))
        notes = note_array(onset, [0.2] * count, rng.integers(40, 80, count), rng.integers(20, 120, count))
        made.append(
            Piece(f"{number}", "c", f"player {number % 3}", "", "val" if number == 4 else "train", notes)
        )
    return made


def test_shards_change_nothing_of_what_is_trained_on(tmp_path: Path) -> None:
    pack(pieces(), tmp_path / "one", min_style_notes=1)
    pack(pieces(), tmp_path / "many", min_style_notes=1, shard_notes=250)
    one, many = PackedCorpus.open(tmp_path / "one"), PackedCorpus.open(tmp_path / "many")
    assert (len(one.shards), len(many.shards) > 4) == (1, True)
    assert max(len(shard) for shard in many.shards) <= 250
    epochs = [Windows(corpus, "train", 64, seed=3).epoch(1) for corpus in (one, many)]
    assert len(epochs[0]) == len(epochs[1]) > 10
    for index in range(len(epochs[0])):
        for name in ("fields", "target", "style", "phrase_steps", "features"):
            here, there = (getattr(epoch.window(index), name) for epoch in epochs)
            np.testing.assert_array_equal(here, there)


def test_a_corpus_in_one_file_as_before_is_read(tmp_path: Path) -> None:
    pack(pieces(), tmp_path / "packed")
    new = PackedCorpus.open(tmp_path / "packed")
    notes = [new.notes(piece).copy() for piece in new.index.pieces]
    index = json.loads((tmp_path / "packed" / "index.json").read_text())
    index = {**index, "format_version": 3}
    del index["shards"]
    for piece in index["pieces"]:
        del piece["shard"]
    (tmp_path / "packed" / "index.json").write_text(json.dumps(index))
    (tmp_path / "packed" / "notes-00000.npy").rename(tmp_path / "packed" / "notes.npy")
    old = PackedCorpus.open(tmp_path / "packed")
    for piece, expected in zip(old.index.pieces, notes, strict=True):
        np.testing.assert_array_equal(old.notes(piece), expected)


def test_a_corpus_travels_to_other_processes_by_name(tmp_path: Path) -> None:
    pack(pieces(), tmp_path / "packed")
    corpus = PackedCorpus.open(tmp_path / "packed")
    first = corpus.index.pieces[0]
    before = corpus.notes(first).copy()
    sent = pickle.dumps(corpus.shards)
    assert len(sent) < 1000
    arrived = pickle.loads(sent)
    np.testing.assert_array_equal(arrived[0][: first.length], before)


def test_only_so_many_shards_are_open_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tatumflow.training.data.shards._MOST_OPEN", 3)
    pack(pieces(), tmp_path / "packed", shard_notes=1)
    corpus = PackedCorpus.open(tmp_path / "packed")
    assert len(corpus.shards) == 12, "each piece has its own shard, since none fits"
    for made, piece in zip(pieces() * 2, corpus.index.pieces * 2, strict=True):
        np.testing.assert_array_equal(corpus.notes(piece), made.notes)
    assert isinstance(corpus.shards, Sequence)
    assert len(vars(corpus.shards)["_open"]) == 3

"""Writing whole or not at all: whatever interrupts it, the old or the new is there."""

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.regular_file import check_output, read_regular
from tatumflow.engine.files.whole_file import recover_folder, set_aside, whole_file, whole_folder, write_whole
from tatumflow.engine.midi.midi_file import MidiTrack, write_midi
from tatumflow.engine.midi.notes import Note

STEPS = [
    (name, number, when)
    for name, count in (("rename", 4), ("replace", 1))
    for number in range(count)
    for when in ("before", "after")
]


@pytest.fixture(params=STEPS, ids=lambda step: f"{step[2]}-{step[0]}-{step[1]}")
def interrupted(request, monkeypatch):
    """Interrupt one call of `Path.rename` or `Path.replace`, before or after it has done its work."""
    name, number, when = request.param
    real, calls = getattr(Path, name), []

    def step(self, target):
        calls.append(target)
        chosen = len(calls) == number + 1
        if chosen and when == "before":
            raise KeyboardInterrupt
        result = real(self, target)
        if chosen and when == "after":
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(Path, name, step)


def folder_with(path, text):
    path.mkdir()
    (path / "a").write_text(text)
    (path / "b").write_text(text)
    return path


def holds(path):
    return {file.name: file.read_text() for file in path.iterdir()}


OLD, NEW = {"a": "old", "b": "old"}, {"a": "new", "b": "new"}


@pytest.mark.usefixtures("interrupted")
def test_a_folder_is_the_old_or_the_new_one_whatever_step_is_interrupted(tmp_path):
    path = folder_with(tmp_path / "corpus", "old")
    with suppress(KeyboardInterrupt), whole_folder(path) as new:
        (new / "a").write_text("new")
        (new / "b").write_text("new")
    assert path.exists() or set_aside(path).exists()
    recover_folder(path)
    assert holds(path) in (OLD, NEW)


def test_a_folder_that_was_left_aside_comes_back_with_the_next_writing(tmp_path):
    path = tmp_path / "corpus"
    folder_with(set_aside(path), "old")
    with suppress(KeyboardInterrupt), whole_folder(path):
        assert holds(path) == OLD
        raise KeyboardInterrupt
    assert holds(path) == OLD
    assert [one.name for one in tmp_path.iterdir()] == ["corpus"]


def test_a_whole_folder_takes_the_place_and_leaves_nothing_beside(tmp_path):
    path = folder_with(tmp_path / "corpus", "old")
    folder_with(set_aside(path), "older")
    with whole_folder(path) as new:
        (new / "a").write_text("new")
    assert holds(path) == {"a": "new"}
    assert [one.name for one in tmp_path.iterdir()] == ["corpus"]


@pytest.mark.usefixtures("interrupted")
def test_a_file_is_the_old_or_the_new_one_whatever_step_is_interrupted(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("old")
    with suppress(KeyboardInterrupt):
        write_whole(path, "new")
    assert path.read_text() in ("old", "new")
    assert [one.name for one in tmp_path.iterdir()] == ["settings.yaml"]


def test_an_interrupted_block_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with suppress(KeyboardInterrupt), whole_file(path) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def test_a_link_stays_and_the_file_it_leads_to_is_written(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "real.txt", tmp_path / "link.txt"
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to("there/real.txt")
    write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    missing = tmp_path / "missing.txt"
    missing.symlink_to("there/later.txt")
    write_whole(missing, "new")
    assert missing.is_symlink()
    assert (tmp_path / "there" / "later.txt").read_text() == "new"


def test_a_link_to_a_folder_stays_and_the_folder_is_replaced(tmp_path):
    target, link = folder_with(tmp_path / "real", "old"), tmp_path / "link"
    link.symlink_to("real")
    with whole_folder(link) as new:
        (new / "a").write_text("new")
    assert link.is_symlink()
    assert holds(target) == {"a": "new"}


@pytest.fixture(params=["pipe", "socket", "folder", "device", "link to a pipe"])
def other_kind(request, tmp_path, monkeypatch):
    """Return something that is no regular file, and what it is called."""
    path = tmp_path / "x.mid"
    if request.param == "folder":
        path.mkdir()
    elif request.param == "socket":
        monkeypatch.chdir(tmp_path)
        with socket.socket(socket.AF_UNIX) as one:
            one.bind("x.mid")
    elif request.param == "device":
        path = Path("/dev/zero")
    else:
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to("pipe")
        path = path if request.param == "link to a pipe" else tmp_path / "pipe"
    return path, request.param.removeprefix("link to a ")


def test_what_is_no_file_is_neither_replaced_nor_read(other_kind):
    path, kind = other_kind
    before = path.lstat()
    with pytest.raises(
        SettingError, match=f"{path}: cannot be written .it is a {kind}, not a file"
    ) as caught:
        check_output(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(OSError, match=f"it is a {kind}"), whole_file(path) as partial:
        partial.write_text("never")
    with pytest.raises(OSError, match=f"it is a {kind}"):
        read_regular(path, 100)
    after = path.lstat()
    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)


def test_a_midi_file_is_written_through_a_link(tmp_path):
    target, link = tmp_path / "real.mid", tmp_path / "link.mid"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_midi(link, [MidiTrack("piano", [Note(0.0, 1.0, 60, 80)])])
    assert link.is_symlink()
    assert target.read_bytes().startswith(b"MThd")


def test_a_file_larger_than_allowed_is_not_read(tmp_path):
    path = tmp_path / "large"
    path.write_bytes(bytes(2049))
    assert len(read_regular(path, 2049)) == 2049
    with pytest.raises(OSError, match="it is larger than 2 kB"):
        read_regular(path, 2048)


def test_an_output_in_a_folder_that_is_missing_is_refused_unless_it_is_made(tmp_path):
    check_output(tmp_path / "new.mid")
    with pytest.raises(SettingError, match="does not exist; make it first"):
        check_output(tmp_path / "absent" / "new.mid")
    check_output(tmp_path / "absent" / "new.mid", makes_folder=True)

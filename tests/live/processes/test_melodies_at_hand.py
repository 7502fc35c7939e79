"""The model of melodies of a session: opened where one is found, and no obstacle where it is damaged."""

import json
from pathlib import Path

import pytest

from tatumflow.engine.errors import BundleError
from tatumflow.engine.melodies.bundle import MELODY_FILE
from tatumflow.live.processes.session import melodies_at_hand, open_melodies


@pytest.fixture(name="notices")
def said() -> list[tuple[str, str]]:
    return []


@pytest.fixture(autouse=True, name="folder")
def models_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    monkeypatch.setattr("tatumflow.engine.model.model_folder.bundle_folders", lambda: [folder])
    return folder


def test_without_one_there_is_none_and_nothing_is_said(notices: list[tuple[str, str]]):
    assert melodies_at_hand(lambda *notice: notices.append(notice)) is None
    assert notices == []
    with pytest.raises(BundleError, match="no model of melodies in"):
        open_melodies()


def test_a_damaged_one_is_left_out_and_the_user_is_told(folder: Path, notices: list[tuple[str, str]]):
    damaged = folder / "melodies"
    damaged.mkdir(parents=True)
    (damaged / MELODY_FILE).write_text(json.dumps({"format_version": 1}))
    assert melodies_at_hand(lambda *notice: notices.append(notice)) is None
    ((text, severity),) = notices
    assert severity == "warning"
    assert MELODY_FILE in text
    assert text.endswith("until then mode morph plays as answer")

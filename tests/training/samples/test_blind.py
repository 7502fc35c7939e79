"""The blind listening test: fair clips, hidden answers."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from players import pack_players

from tatumflow.engine.errors import SettingError
from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.live import cli
from tatumflow.training.samples.blind import KEY, PAGE, PLAYER, make_blind_test

FRAME = 0.032


@pytest.fixture(scope="module")
def models(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    other = tmp_path_factory.mktemp("models") / "before"
    shutil.copytree(tiny_bundle, other)
    return [str(tiny_bundle), str(other)]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blind") / "packed"
    pack_players(folder)
    return folder


@pytest.mark.slow
def test_every_primer_has_a_clip_of_the_player_and_of_each_model(
    models: list[str], packed: Path, tmp_path: Path
) -> None:
    rows = make_blind_test(models, tmp_path / "test", packed, clips=6, seed=3)
    assert len(rows) == 2
    for row in rows:
        assert sorted(clip.by for clip in row.clips) == sorted((PLAYER, "before", Path(models[0]).name))
        assert [clip.letter for clip in row.clips] == ["A", "B", "C"]
    key = json.loads((tmp_path / "test" / KEY).read_text())["clips"]
    assert key == {clip.example.name: clip.by for row in rows for clip in row.clips}
    for name in key:
        notes = read_midi(tmp_path / "test" / f"{name}.mid").notes
        frames = np.array([note.onset for note in notes]) / FRAME
        assert np.abs(frames - frames.round()).max() < 0.1, "a grid would show who plays"
    again = make_blind_test(models, tmp_path / "again", packed, clips=6, seed=3)
    assert [[clip.by for clip in row.clips] for row in again] == [
        [clip.by for clip in row.clips] for row in rows
    ]


@pytest.mark.slow
def test_the_answers_are_behind_a_click(models: list[str], packed: Path, tmp_path: Path) -> None:
    rows = make_blind_test(models[:1], tmp_path / "test", packed, clips=4)
    page = (tmp_path / "test" / PAGE).read_text(encoding="utf-8")
    shown = "".join(part.split("</details>")[-1] for part in page.split("<details>"))
    assert page.count("<details>") == len(rows) == 2
    assert f"A: {rows[0].clips[0].by}" not in shown
    assert f"A: {rows[0].clips[0].by}" in page


def test_models_in_folders_of_one_name_are_refused(models: list[str], packed: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="other names"):
        make_blind_test([models[0], models[0]], tmp_path, packed)


def test_the_command_needs_a_corpus(
    models: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["tatumflow", "samples", models[0], "--blind", models[1], "-o", str(tmp_path)]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit):
        cli.main()
    assert "give a packed corpus with --corpus" in capsys.readouterr().err

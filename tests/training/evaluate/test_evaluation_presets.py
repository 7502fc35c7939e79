"""Presets of an evaluation: which of their controls each part plays with, and the option that names one."""

import sys
from pathlib import Path

import pytest

from tatumflow.engine.errors import SettingError
from tatumflow.live import cli
from tatumflow.training.evaluate import commands
from tatumflow.training.evaluate.evaluation import EvaluationResult
from tatumflow.training.evaluate.figures_file import evaluation_command
from tatumflow.training.evaluate.settings import EvaluationSettings, PresetControls

BUNDLE = Path(__file__).parents[3] / "exports" / "tatumflow-live"
PRESET = PresetControls("own", {"style": "bud-powell", "density": 0.5}, {"density": 1.0, "trade_bars": 8})


def test_given_controls_win_over_the_presets() -> None:
    settings = EvaluationSettings(preset=PRESET, controls=(("density", "-1"),))
    assert (settings.played_with.style, settings.played_with.density) == ("bud-powell", -1.0)
    assert (settings.traded_with.density, settings.traded_with.trade_bars) == (-1.0, 8)
    assert settings.played_with.trade_bars == 0
    assert EvaluationSettings(preset=PRESET).traded_with.density == 1.0


def test_a_style_of_the_preset_replaces_that_of_each_primers_player() -> None:
    assert EvaluationSettings().own_style
    assert not EvaluationSettings(preset=PRESET).own_style
    assert not EvaluationSettings(controls=(("style", "art-tatum"),)).own_style


def test_the_command_of_the_figures_names_the_preset() -> None:
    settings = EvaluationSettings(preset=PRESET, controls=(("density", "-1"),))
    assert "--preset own --control density=-1" in evaluation_command(Path("a"), settings)
    assert "--preset" not in evaluation_command(Path("a"), EvaluationSettings())


def test_a_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(SettingError, match="density"):
        _ = EvaluationSettings(preset=PresetControls("own", {}, {"density": 9})).traded_with


def test_the_option_reads_a_preset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TATUMFLOW_SETTINGS", str(tmp_path / "settings.yaml"))
    given: list[EvaluationSettings] = []

    def evaluate(model: Path, corpus: list[Path], settings: EvaluationSettings, **_: object):
        given.append(settings)
        return EvaluationResult({})

    monkeypatch.setattr(commands, "evaluate", evaluate)
    for option in ((), ("--preset", "bird", "--control", "pocket=1")):
        monkeypatch.setattr(sys, "argv", ["tatumflow", "evaluate", str(BUNDLE), *option])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
    plain, bird = given
    assert (plain.preset.name, plain.traded_with.trade_bars) == ("", 0)
    assert (bird.preset.name, bird.traded_with.trade_bars) == ("bird", 4)
    assert bird.played_with.style == "charlie-parker"
    assert bird.played_with.pocket == bird.traded_with.pocket == 1.0


def test_an_unknown_preset_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("TATUMFLOW_SETTINGS", str(tmp_path / "settings.yaml"))
    monkeypatch.setattr(sys, "argv", ["tatumflow", "evaluate", str(BUNDLE), "--preset", "brid"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    assert "no preset is named 'brid'; did you mean bird?" in capsys.readouterr().err

import re
from pathlib import Path
from typing import Any

from tatumflow.training.evaluate.evaluation import EvaluationResult
from tatumflow.training.evaluate.report.report import write_report


def figure(value: float) -> dict[str, Any]:
    return {"value": value, "interval": [value - 0.1, value + 0.1]}


def test_classifiers_and_beats_are_on_the_page_and_text_is_escaped(tmp_path: Path) -> None:
    sides = {side: figure(0.5) for side in ("companion", "player", "control", "held_out", "ratio")}
    listener = {
        "primers": 3,
        "pieces": 2,
        "seconds": 20.0,
        "figures": {"note_density": sides},
        "pitch_class_kl": {"companion": figure(0.3), "control": figure(0.2)},
        "discriminator": {
            "features": {"companion": figure(0.75), "control": figure(0.5)},
            "features_and_primer": {"companion": figure(0.8)},
            "notes": {},
            "importance": [{"name": "top <steps>", "drop": 0.125, "alone": 0.625}],
        },
        "beat": {
            "140-180": {
                "takes": 12,
                "swing_ratio": {**sides, "middle_half": [1.25, 1.75]},
                "onsets": {**sides, "middle_half": []},
            }
        },
        "unavailable": {"frechet_music_distance": "needs weights"},
    }
    figures = {"model": "<tiny>", "listener": listener, "skipped": {"style": "too little music"}}
    page = write_report(EvaluationResult(figures), tmp_path, None).read_text()
    assert "<h1>Evaluation of &lt;tiny&gt;</h1>" in page
    assert "Left out: style. too little music" in page
    assert "<tr><td>top &lt;steps&gt;</td><td>0.125</td><td>0.625</td></tr>" in page
    (swing,) = re.findall(r"<tr><td>swing ratio</td>.*?</tr>", page, re.DOTALL)
    assert "<td>140-180</td>" in swing
    assert "<td>[1.250, 1.750]</td>" in swing
    (onsets,) = re.findall(r"<tr><td>onsets</td>.*?</tr>", page, re.DOTALL)
    assert "<td>–</td>" in onsets
    assert "frechet music distance: needs weights." in page

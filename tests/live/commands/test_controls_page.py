"""The pages that list the controls are those that the declarations give."""

from importlib import resources
from pathlib import Path

from tatumflow.engine.controls import CONTROL_SPECS
from tatumflow.live.commands.controls import controls_page, controls_section, print_controls

ROOT = Path(__file__).parents[3]


def test_the_documentation_holds_the_page_as_it_is_printed(capsys):
    assert (ROOT / "docs" / "controls.md").read_text(encoding="utf-8") == controls_page()
    print_controls(markdown=True)
    assert capsys.readouterr().out == controls_page()


def test_the_shipped_settings_hold_every_control_with_its_sentence():
    shipped = (resources.files("tatumflow.configs") / "live" / "default.yaml").read_text(encoding="utf-8")
    assert shipped.endswith("\n" + controls_section())


def test_the_list_names_every_control_and_section_in_eighty_columns(capsys):
    print_controls()
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    names = {line.strip().partition("=")[0] for line in lines}
    assert names >= set(CONTROL_SPECS)
    assert {"ports:", "synth:", "audio:", "recording:", "osc:"} <= set(lines)

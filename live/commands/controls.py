"""`tatumflow controls`: every control and setting with what it does; and the pages that list them."""

import textwrap
from collections.abc import Iterator
from importlib import resources
from typing import Final, get_args

import yaml

from tatumflow.engine.control_specs import ControlSpec, Group
from tatumflow.engine.controls import CONTROL_SPECS
from tatumflow.live.steering.actions import ACTIONS
from tatumflow.live.steering.osc import PREFIX

_COLUMNS: Final = 80
_SECTION: Final = "\ncontrols:\n"


def print_controls(*, markdown: bool = False) -> None:
    """Print every control and every setting; or, as Markdown, the page of the documentation."""
    if markdown:
        print(controls_page(), end="")
        return
    for group in get_args(Group):
        print(group.upper())
        for spec in _specs(group):
            print(f"  {spec.name}={spec.default}")
            print(textwrap.indent(textwrap.fill(spec.full_help, _COLUMNS - 6), "      "))
    print("\nSETTINGS, by `--set SECTION.NAME=VALUE` or in your settings file")
    shipped = resources.files("tatumflow.configs") / "live" / "default.yaml"
    settings = shipped.read_text(encoding="utf-8").partition(_SECTION)[0]
    print(settings.partition("\n\n")[2].rstrip())


def controls_page() -> str:
    """Return docs/controls.md: every control and action, in tables."""
    return "\n".join(_page()) + "\n"


def controls_section() -> str:
    """Return the section `controls` of the settings file that the package brings."""
    lines = ["controls:"]
    for spec in CONTROL_SPECS.values():
        lines += textwrap.wrap(spec.full_help, 100, initial_indent="  # ", subsequent_indent="  # ")
        lines.append(f"  {yaml.safe_dump({spec.name: spec.default}).strip()}")
    return "\n".join(lines) + "\n"


def _page() -> Iterator[str]:
    yield "# Controls"
    yield ""
    yield "`tatumflow controls --markdown` prints this page from the declarations in `engine/controls.py`."
    yield ""
    yield "Each control can be set"
    yield ""
    yield "- on the screen: the second column names its row or cell; `Ctrl+P` finds those without one;"
    yield "- on the command line: `tatumflow jam --set temperature=1.2`;"
    yield "- in your settings file, under `controls:`; `tatumflow doctor` prints where it lies;"
    yield "- by a knob, fader or pedal: `Ctrl+L` in a jam, then move it;"
    yield f"- by Open Sound Control: `{PREFIX}temperature 1.2`, with `tatumflow jam --osc 9000`."
    yield ""
    yield "The other settings, such as `audio.stem` or `ports.virtual`, are in `configs/live/default.yaml`."
    for group in get_args(Group):
        yield ""
        yield f"## {group}"
        yield ""
        yield "| control | on the screen | values | default | what it does |"
        yield "|---|---|---|---|---|"
        for spec in _specs(group):
            default = f"`{spec.default}`" if spec.default != "" else "empty"
            sentence = spec.help.replace("|", "\\|")
            remark = "" if spec.steerable else " No knob can steer it."
            label = spec.label if spec.row else f"{spec.label} (no row)"
            yield f"| `{spec.name}` | {label} | {spec.values or 'text'} | {default} | {sentence}{remark} |"
    yield ""
    yield "## Actions"
    yield ""
    yield "A pedal, a pad or an OSC message sets them off."
    yield ""
    yield "| action | on the screen | OSC address | what it does |"
    yield "|---|---|---|---|"
    for name, action in ACTIONS.items():
        yield f"| `{name}` | {action.label} | `{PREFIX}{name}` | {action.help} |"


def _specs(group: str) -> list[ControlSpec]:
    return [spec for spec in CONTROL_SPECS.values() if spec.group == group]

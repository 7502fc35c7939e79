"""The page of hyperparameters lists every setting of every family, with the default of the code."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from tatumflow.training.models import family_named
from tatumflow.training.recipes import RECIPES

PAGE = Path(__file__).parents[2] / "docs" / "hyperparameters.md"
DATA = {
    "tatumflow": "notes",
    "tfswa_unet": "separation",
    "music_vae": "melodies",
    "fractal_midi": "rolls",
    "musicgen": "recordings",
}
"""What a page's heading calls the data of a family, the first of its recipe."""

ROW = re.compile(r"\| `(?P<name>\w+)` \| (?P<default>.*?) \| (?P<text>.+) \|$")


def is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def sections() -> dict[str, type[BaseModel]]:
    """Return the class of each table by its heading."""
    found: dict[str, type[BaseModel]] = {}

    def add(heading: str, suffix: str, of: type[BaseModel]) -> None:
        found[f"`{heading}`{suffix}"] = of
        for name, field in of.model_fields.items():
            if is_section(field.annotation):
                add(f"{heading}.{name}", suffix, field.annotation)  # pyright: ignore[reportArgumentType]

    for recipe in RECIPES:
        for name, field in recipe.config.model_fields.items():
            if is_section(field.annotation):
                everywhere = name in ("optimizer", "run")
                suffix = "" if everywhere else f" of {DATA[recipe.families[0]]}"
                add(name, suffix, field.annotation)  # pyright: ignore[reportArgumentType]
        for family in recipe.families:
            add("model", f" of {family}", family_named(family).config)
    return found


def tables() -> dict[str, dict[str, str]]:
    """Return the default of each setting, as the page writes it, by heading and name."""
    found: dict[str, dict[str, str]] = {}
    heading = ""
    for line in PAGE.read_text(encoding="utf-8").partition("\n## Every setting\n")[2].splitlines():
        if line.startswith("### "):
            heading = line.removeprefix("### ")
            found[heading] = {}
        elif row := ROW.match(line):
            assert row["name"] not in found[heading], (heading, row["name"])
            found[heading][row["name"]] = row["default"]
    return found


def test_every_section_has_a_table() -> None:
    assert list(tables()) == list(dict.fromkeys(tables()))
    assert set(tables()) == set(sections())


@pytest.mark.parametrize("heading", sections())
def test_a_table_has_every_setting_and_its_default(heading: str) -> None:
    fields = {
        name: field
        for name, field in sections()[heading].model_fields.items()
        if not is_section(field.annotation)
    }
    written = tables().get(heading, {})
    assert set(written) == set(fields)
    for name in fields:
        default = sections()[heading].model_construct().model_dump(mode="json")[name]
        assert yaml.safe_load(written[name]) == default, (heading, name)

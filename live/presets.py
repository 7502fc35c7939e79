"""Presets: named sets of controls and settings, in the package and in the user's folder."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tatumflow.engine.controls import CONTROL_SPECS
from tatumflow.engine.errors import SettingError
from tatumflow.live.setting_errors import plain_error
from tatumflow.live.settings import Settings, settings_path

PresetCommand = Literal["jam", "play", "generate"]
"""A command that takes a preset."""

SUFFIX: Final = ".yaml"
"""Suffix of a preset's file."""

_LARGEST_FILE: Final = 1 << 16

Values = dict[str, Any]


class _PresetFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    about: str = Field(min_length=1)
    shared: Values = Field(default_factory=dict, alias="set")
    jam: Values = Field(default_factory=dict)
    play: Values = Field(default_factory=dict)
    generate: Values = Field(default_factory=dict)


@dataclass(frozen=True)
class Preset:
    """A named set of controls and settings, each value checked.

    Attributes:
        name: Its name, the file's without the suffix.
        about: One sentence.
        shared: Values by name, as `Settings.with_changes` takes them.
        own: More of them for one command, by command; they win over the shared ones.
    """

    name: str
    about: str
    shared: Mapping[str, Any]
    own: Mapping[PresetCommand, Mapping[str, Any]]

    def changes(self, command: PresetCommand) -> dict[str, Any]:
        """Return the values for a command."""
        return {**self.shared, **self.own[command]}


def presets_folder() -> Path:
    """Return the folder of the user's own presets, beside the settings file; it may be missing."""
    return settings_path().parent / "presets"


def presets() -> dict[str, Preset]:
    """Return every preset by name; one of the user's replaces one of the package's of the same name.

    Raises:
        SettingError: if a file is no preset; names the file and the field.
    """
    return {name: _read(name, file) for name, file in sorted(_files().items())}


def find_preset(name: str) -> Preset:
    """Return the preset of a name.

    Raises:
        SettingError: if there is none, or its file is no preset.
    """
    files = _files()
    if name not in files:
        close = get_close_matches(name, files, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        known = ", ".join(sorted(files))
        raise SettingError(
            f"no preset is named {name!r}; {hint}there are {known}, and your own in {presets_folder()}"
        )
    return _read(name, files[name])


def with_preset(name: str | None, command: PresetCommand, changes: Mapping[str, object]) -> dict[str, object]:
    """Return changes over the values of a preset: what the command line gives wins.

    Raises:
        SettingError: if there is no such preset, or its file is no preset.
    """
    return {**(find_preset(name).changes(command) if name else {}), **changes}


def preset_controls(name: str, command: PresetCommand) -> dict[str, object]:
    """Return the live controls that a preset sets for a command, by name; its other settings are left out.

    Raises:
        SettingError: if there is no such preset, or its file is no preset.
    """
    changes = find_preset(name).changes(command)
    controls = Settings().with_changes(changes).controls
    named = {name.removeprefix("controls.") for name in changes} | {*changes.get("controls", {})}
    return {name: getattr(controls, name) for name in CONTROL_SPECS if name in named}


def _files() -> dict[str, Traversable]:
    """Return the file of each preset by name, the user's own last."""
    return {
        file.name.removesuffix(SUFFIX): file
        for folder in (resources.files("tatumflow.configs") / "presets", presets_folder())
        for file in _listed(folder)
        if file.name.endswith(SUFFIX)
    }


def _listed(folder: Traversable) -> Iterator[Traversable]:
    if folder.is_dir():
        yield from folder.iterdir()


def _read(name: str, file: Traversable) -> Preset:
    try:
        text = file.read_text(encoding="utf-8")
        if len(text) > _LARGEST_FILE:
            raise SettingError(f"{file}: is larger than 64 kB, which no preset is")
        content = _PresetFile.model_validate(yaml.safe_load(text))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{file}: cannot be read ({error}); mend or delete it") from None
    except (yaml.YAMLError, RecursionError):
        raise SettingError(f"{file}: is not valid YAML; mend or delete it") from None
    except ValidationError as error:
        raise SettingError(f"{file}: {plain_error(_PresetFile, error, 'field')}") from None
    preset = Preset(
        name,
        content.about,
        content.shared,
        {"jam": content.jam, "play": content.play, "generate": content.generate},
    )
    for command in preset.own:
        try:
            Settings().with_changes(preset.changes(command))
        except SettingError as error:
            raise SettingError(f"{file}: {error}") from None
    return preset

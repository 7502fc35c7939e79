"""The catalogue of models to fetch by name: of each its repository, a commit, and its manifest's hash."""

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.regular_file import read_regular
from tatumflow.engine.model.model_folder import ModelName

LARGEST_CATALOGUE: Final = 1 << 20
"""Most bytes of a catalogue."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_REPOSITORY = re.compile(rf"({_NAME}/{_NAME})(?:@({_NAME}))?")


class CatalogueEntry(BaseModel):
    """Where a model is: a repository of the Hub, a commit of it, and the SHA-256 of its manifest there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repo: Annotated[str, StringConstraints(pattern=rf"^{_NAME}/{_NAME}$")]
    revision: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


Catalogue = dict[ModelName, CatalogueEntry]
_SCHEMA: Final = TypeAdapter(Catalogue)


@dataclass(frozen=True)
class ModelSource:
    """A model on the Hub.

    Attributes:
        repo: Its repository, USER/NAME.
        revision: A branch, tag or commit.
        sha256: Hash of its manifest; empty to accept the manifest that is there.
    """

    repo: str
    revision: str = "main"
    sha256: str = ""


def load_catalogue(path: Path | None = None) -> Catalogue:
    """Return a catalogue; by default the one that comes with TatumFlow.

    Raises:
        SettingError: if it cannot be read.
    """
    shipped = resources.files("tatumflow.configs") / "live" / "models.yaml"
    try:
        text = shipped.read_bytes() if path is None else read_regular(path, LARGEST_CATALOGUE)
        return _SCHEMA.validate_python(yaml.safe_load(text) or {})
    except OSError as error:
        raise SettingError(f"{path}: cannot be read ({error.strerror}); give a catalogue of models") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SettingError(f"{path}: {where}: {first['msg']}; correct the catalogue") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = " ".join(str(error).split())
        raise SettingError(f"{path}: is not YAML ({line}); correct the catalogue") from None


def find_source(name: str, catalogue: Catalogue) -> ModelSource:
    """Return where a model is, by its name in the catalogue or as USER/NAME or USER/NAME@REVISION.

    Raises:
        SettingError: if the catalogue does not have it.
    """
    if name in catalogue:
        entry = catalogue[name]
        return ModelSource(entry.repo, entry.revision, entry.sha256)
    match = _REPOSITORY.fullmatch(name)
    if match:
        return ModelSource(match[1], match[2] or "main")
    known = ", ".join(catalogue) or "none yet"
    raise SettingError(
        f"{name}: not in the catalogue of models ({known}); give a name of it, or USER/NAME of a repository "
        "on the Hugging Face Hub"
    )

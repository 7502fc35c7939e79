"""Exported MusicGen models: folders as transformers writes them, with `musicgen.json` beside the weights."""

import hashlib
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from tatumflow.engine.errors import BundleError
from tatumflow.engine.model.model_folder import FolderKind, Line, ManifestPart, Metric, ModelName

MUSICGEN_FILE: Final = "musicgen.json"

MUSICGEN_FORMAT: Final = 1
"""The newest format this version reads."""

MUSICGEN_MODELS: Final = FolderKind(
    "MusicGen model",
    MUSICGEN_FILE,
    MUSICGEN_FORMAT,
    MUSICGEN_FORMAT,
    "export one with `tatumflow export`",
)


class WeightFile(ManifestPart):
    """One safetensors file of the folder: its name, hash and length in bytes."""

    file: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.safetensors$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    bytes: int = Field(ge=1)


class TrainingRecordings(ManifestPart):
    """The recordings a model was fine-tuned on: their names, length together, and licence."""

    names: tuple[Line, ...] = Field(max_length=100_000)
    seconds: float = Field(ge=0)
    licence: Line


class MusicgenManifest(ManifestPart):
    """The manifest of an exported MusicGen model.

    Attributes:
        format_version: Version of this schema.
        name: Its name.
        family: Model family.
        base: The pretrained model.
        method: What of it was trained; see `MusicgenModelConfig`.
        rate: Sample rate in hertz.
        channels: Channels of its sound.
        codebooks: Codebooks of a frame.
        steps: Optimizer steps of the fine-tuning.
        weights: Files of the weights.
        licence: Licence of the weights.
        recordings: What it was fine-tuned on.
        metrics: Figures measured at export.
        created_with: Version of TatumFlow that wrote it.
    """

    format_version: Literal[1]
    name: ModelName
    family: Literal["musicgen"]
    base: Line
    method: Literal["lora", "full"]
    rate: int = Field(ge=1000, le=192_000)
    channels: int = Field(ge=1, le=2)
    codebooks: int = Field(ge=1, le=64)
    steps: int = Field(ge=0)
    weights: tuple[WeightFile, ...] = Field(min_length=1, max_length=1024)
    licence: Line
    recordings: TrainingRecordings
    metrics: tuple[Metric, ...]
    created_with: Line


def read_manifest(folder: Path) -> MusicgenManifest:
    """Check an exported model's manifest and the hashes of its weights, and return the manifest.

    Raises:
        BundleError: if a part is missing, damaged, or of a newer format.
    """
    manifest = MUSICGEN_MODELS.read(folder, MusicgenManifest)
    for weights in manifest.weights:
        file = folder / weights.file
        if not file.is_file():
            raise BundleError(f"{file}: missing; export the MusicGen model again")
        if weight_file(file) != weights:
            raise BundleError(f"{file}: differs from its manifest, damaged; export the MusicGen model again")
    return manifest


def weight_file(file: Path) -> WeightFile:
    """Return the entry of a file of weights.

    Raises:
        BundleError: if it cannot be read.
    """
    try:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        return WeightFile(file=file.name, sha256=digest, bytes=file.stat().st_size)
    except OSError as error:
        raise BundleError(f"{file}: cannot be read ({error.strerror})") from None

"""Pretrained MusicGen models from a folder or from the Hugging Face Hub's cache."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoTokenizer, MusicgenForConditionalGeneration, PreTrainedTokenizerBase
from transformers.utils import logging

from tatumflow.engine.errors import BundleError
from tatumflow.engine.model.model_folder import bundle_folders
from tatumflow.training.models.musicgen.manifest import MUSICGEN_FILE, MUSICGEN_MODELS, read_manifest

RELEASED_LICENCE: Final = "CC BY-NC 4.0"
"""Licence of the weights that MusicGen's authors released: no commercial use."""

CONFIG_FILE: Final = "config.json"

_HUB_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True)
class Pretrained:
    """A pretrained model.

    Attributes:
        name: Its name for messages and cards.
        source: Its folder, or its name on the Hub.
        licence: Licence of its weights; that of the released ones where its folder states none.
        model: The model in float32 on the CPU, in evaluation mode.
        tokenizer: The tokenizer of its text encoder.
    """

    name: str
    source: str
    licence: str
    model: MusicgenForConditionalGeneration
    tokenizer: PreTrainedTokenizerBase


def load_pretrained(name_or_path: str, download: bool = False) -> Pretrained:
    """Load a MusicGen model; nothing is unpickled, and nothing downloaded unless asked for.

    Args:
        name_or_path: A folder as transformers writes it, the name of an exported model, or a name on the Hub,
            such as facebook/musicgen-small.
        download: Whether weights of the Hub that are not in its cache are downloaded; the environment
            variable HF_HUB_OFFLINE forbids it.

    Raises:
        BundleError: if its weights are missing or damaged, or it is no MusicGen model.
    """
    folder = _folder(name_or_path)
    if folder is None:
        return _load(name_or_path, name_or_path, RELEASED_LICENCE, download)
    if (folder / MUSICGEN_FILE).is_file():
        manifest = read_manifest(folder)
        return _load(manifest.name, str(folder), manifest.licence, False)
    return _load(folder.name, str(folder), RELEASED_LICENCE, False)


def _folder(name_or_path: str) -> Path | None:
    """Return the folder of a model; None for a name on the Hub."""
    folder = Path(name_or_path)
    if (folder / MUSICGEN_FILE).is_file() or (folder / CONFIG_FILE).is_file():
        return folder
    if folder.is_dir():
        raise BundleError(f"{folder}: holds no {CONFIG_FILE}; give the folder of a MusicGen model")
    for found in MUSICGEN_MODELS.find():
        if found.name == name_or_path:
            return found
    if _HUB_NAME.fullmatch(name_or_path):
        return None
    places = " or ".join(str(place) for place in bundle_folders())
    raise BundleError(
        f"{name_or_path}: no such MusicGen model in {places}; give a folder, or a name on the Hugging Face "
        "Hub such as facebook/musicgen-small"
    )


def _load(name: str, source: str, licence: str, download: bool) -> Pretrained:
    with quiet_library(), _one_line(name, source, licence, download):
        # The library reads the variable only once, when it is imported.
        local = not download or _offline()
        config = AutoConfig.from_pretrained(source, local_files_only=local)
        if config.model_type != "musicgen":
            raise BundleError(f"{source}: is a model of type {config.model_type}; give one of MusicGen")
        tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=local)
        loaded: Any = MusicgenForConditionalGeneration.from_pretrained(
            source,
            local_files_only=local,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    model, found = loaded
    if found["missing_keys"]:
        raise BundleError(
            f"{source}: {len(found['missing_keys'])} weights are missing, such as "
            f"{min(found['missing_keys'])}; get the model again"
        )
    return Pretrained(name, source, licence, model, tokenizer)


@contextmanager
def _one_line(name: str, source: str, licence: str, download: bool) -> Iterator[None]:
    """Turn the library's errors about missing or damaged files into one line."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, KeyError, ImportError, SafetensorError) as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), "")[:120]
        if Path(source).is_dir():
            raise BundleError(f"{source}: cannot be loaded ({reason}); get the model again") from None
        raise BundleError(_missing(name, licence, download, reason)) from None


def _missing(name: str, licence: str, download: bool, reason: str) -> str:
    """Return what to do about weights that are not in the Hub's cache."""
    if not download:
        return (
            f"{name}: its weights are not in the Hugging Face Hub's cache; give --download (for a training "
            f"run, --set model.download=true) to fetch them, several GB under {licence}, for non-commercial "
            "use, or give the folder of a model"
        )
    if _offline():
        return f"{name}: HF_HUB_OFFLINE is set, so nothing is downloaded; unset it, or give a model's folder"
    return f"{name}: cannot be downloaded ({reason}); check the name and the network, or give a folder"


def _offline() -> bool:
    return any(
        os.environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"}
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    )


@contextmanager
def quiet_library() -> Iterator[None]:
    """Silence the library's notices and bars while a model is read or written."""
    level = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()

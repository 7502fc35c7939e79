"""The command `tatumflow publish`."""

import hashlib
import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from tatumflow.engine.model.bundle import load_bundle
from tatumflow.engine.separation.bundle import load_separator
from tatumflow.training.evaluate.report.examples import WriteSound
from tatumflow.training.export.card import CARD_FILE
from tatumflow.training.export.files import whole_folder
from tatumflow.training.publish.errors import PublishError
from tatumflow.training.publish.metadata import check_card
from tatumflow.training.publish.publication import Publication, open_publication
from tatumflow.training.publish.push import check_repo
from tatumflow.training.publish.readme import EXAMPLE, README, repository_card
from tatumflow.training.publish.sounds import write_examples
from tatumflow.training.publish.weights import WEIGHTS_FILE, write_weights

_LICENCE_FILES: Final = ("LICENSE", "LICENSE.txt", "NOTICE")
"""Texts of licences that a model's folder may have, which its repository keeps."""


@dataclass(frozen=True)
class PublishOptions:
    """What the command line gives.

    Attributes:
        repo: The repository, USER/NAME.
        checkpoint: Checkpoint that the model was exported from, for exact weights; None for the graphs'.
        styles: Styles of the examples; empty for known ones.
        seed: Seed of the examples.
    """

    repo: str
    checkpoint: Path | None = None
    styles: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Prepared:
    """A repository's folder, ready to upload.

    Attributes:
        model: The model.
        folder: The folder.
        manifest_sha256: Hash of its manifest.
        remarks: What the folder lacks, and why.
    """

    model: Publication
    folder: Path
    manifest_sha256: str
    remarks: tuple[str, ...]

    def entry(self, repo: str, commit: str) -> str:
        """Return the entry of a catalogue that pins this model at a commit."""
        lines = (f"repo: {repo}", f"revision: {commit}", f"sha256: {self.manifest_sha256}")
        return f"{self.model.name}:\n" + "\n".join(f"  {line}" for line in lines)


def prepare(
    bundle: str, out: Path, options: PublishOptions, write_sound: WriteSound | None = None
) -> Prepared:
    """Write the folder of a model's repository, in place of one there, and check it as its readers will.

    Args:
        bundle: Name or folder of a model or a separator.
        out: The folder.
        options: Repository, weights and examples.
        write_sound: Makes a sound file of tracks; None for MIDI alone.

    Raises:
        PublishError: if the name is no repository's, or the Hub would refuse the card.
        BundleError: if the model is missing or damaged.
        ExportError: if `out` cannot be written, or is no folder of a model.
        SettingError: if the model lacks a style.
    """
    check_repo(options.repo)
    model = open_publication(bundle)
    if out.resolve() == model.path.resolve():
        raise PublishError(f"{out}: is the model itself; give another folder with -o")
    remarks: list[str] = []
    with whole_folder(out, model.manifest_file) as folder:
        for name in (model.manifest_file, *(graph.file for graph in model.graphs.values())):
            shutil.copyfile(model.path / name, folder / name)
        for name in _LICENCE_FILES:
            if (model.path / name).is_file():
                shutil.copyfile(model.path / name, folder / name)
        weights = write_weights(model, folder / WEIGHTS_FILE, options.checkpoint)
        if not weights:
            remarks.append(f"no {WEIGHTS_FILE}: give the separator's --checkpoint")
        examples, silence = [], ""
        if model.bundle is not None:
            examples, silence = write_examples(
                model.bundle, folder, options.styles, options.seed, write_sound
            )
        if silence:
            remarks.append(f"examples as MIDI alone: {silence}")
        module = "note_example.py" if model.bundle is not None else "separator_example.py"
        source = resources.files("tatumflow.training.publish") / module
        (folder / EXAMPLE).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
        card = repository_card(
            model, options.repo, _own_card(model), weights=weights, examples=examples, silence=silence
        )
        check_card(card, model)
        (folder / README).write_text(card, encoding="utf-8")
        if model.bundle is not None:
            load_bundle(folder)
        else:
            load_separator(folder)
        digest = hashlib.sha256((folder / model.manifest_file).read_bytes()).hexdigest()
    return Prepared(model, out, digest, tuple(remarks))


def _own_card(model: Publication) -> str:
    file = model.path / CARD_FILE
    if not file.is_file():
        raise PublishError(f"{file}: no card; export the model again")
    return file.read_text(encoding="utf-8")

"""The `adapt` command: a folder of a player's MIDI becomes a style of a bundle of their own."""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tatumflow.engine.bundle import (
    MANIFEST_FILE,
    Bundle,
    bundle_path,
    find_bundles,
    load_bundle,
)
from tatumflow.engine.errors import SettingError
from tatumflow.engine.model_folder import bundle_folders
from tatumflow.engine.regular_file import check_output
from tatumflow.engine.whole_file import write_whole
from tatumflow.training.adapt.adapter import merged
from tatumflow.training.adapt.base_model import BaseModel, open_base
from tatumflow.training.adapt.diversity import held_out_places, largest_kept, play_on
from tatumflow.training.adapt.learning import Learned, LearningSettings, learn
from tatumflow.training.adapt.own_music import END, pack_own_music
from tatumflow.training.adapt.report import Adaptation, figures
from tatumflow.training.evaluate.comparison import Figures, without_nan
from tatumflow.training.evaluate.evaluation import with_styles
from tatumflow.training.evaluate.generations import Performer
from tatumflow.training.evaluate.nll import NllReport, TorchLogits, evaluate_nll
from tatumflow.training.evaluate.primers import Notes
from tatumflow.training.evaluate.progress import Progress
from tatumflow.training.export.checkpoint import TrainedModel
from tatumflow.training.export.commands import export_model
from tatumflow.training.export.files import whole_folder
from tatumflow.training.families.tatumflow.model import TatumFlow
from tatumflow.training.packing import PackedCorpus, style_slug

_LONGEST_NAME: Final = 64


def adapt(
    folder: Path,
    name: str,
    *,
    model: str = "",
    out: Path | None = None,
    settings: LearningSettings | None = None,
    json_path: Path | None = None,
    progress: Progress | None = None,
) -> Adaptation:
    """Train an adapter on a player's MIDI files and write a bundle that has their style beside the others.

    The adapter is merged whole, or as much of it as keeps the base's diversity (see `diversity`).

    Args:
        folder: The MIDI files; an archive of them will do.
        name: Slug of the new style.
        model: The base: name or folder of a bundle; empty takes the one that comes with the package.
        out: Folder of the new bundle; by default one called `name` among the user's own models. A bundle that
            lies there is replaced.
        settings: How to train; the defaults when None.
        json_path: Where to write the figures.
        progress: Is told what is under way; standard error by default.

    Raises:
        SettingError: if the name cannot be that of a style, is one already, or a file cannot be written.
        AdaptError: if the music is too little, or the adapter is not worth having.
        BundleError: if the base cannot be opened.
        CorpusError: if the folder cannot be.
        ExportError: if the bundle cannot be written or is not what was trained.
        TrainingError: if the loss stops being finite.
    """
    chosen = settings or LearningSettings()
    progress = progress or Progress(command="adapt")
    bundle = load_bundle(bundle_path(model))
    _check_name(name, bundle)
    target = _default_folder(name) if out is None else out
    _check_outputs(target, json_path)
    with TemporaryDirectory(prefix="tatumflow-") as scratch:
        progress.begin("reading")
        packed = pack_own_music(folder, Path(scratch) / "packed", name, chosen.seed)
        base = open_base(bundle, name)
        corpus = with_styles(packed, base.styles)
        places = held_out_places(corpus, chosen.seed)
        performer = Performer(bundle)
        progress.begin("training")
        learned = learn(base, corpus, chosen, progress.tell)
        progress.begin("playing as before")
        played = play_on(performer, places, "", chosen.seed, progress.tell)

        def play(scale: float) -> Sequence[Notes]:
            progress.begin(f"exporting {scale:.0%} of the adapter")
            whole = _export(base, learned, scale, Path(scratch) / f"{scale:g}", bundle, corpus)
            progress.begin(f"playing with {scale:.0%} of the adapter")
            return play_on(Performer(whole), places, name, chosen.seed, progress.tell)

        trials = largest_kept(play, played)
        progress.begin("measuring")
        adapted = merged(base.model, learned.adapter, trials[-1].scale)
        before, after = (_foretold(one, corpus) for one in (base.model, adapted))
        with whole_folder(target) as new:
            shutil.copytree(Path(scratch) / f"{trials[-1].scale:g}", new, dirs_exist_ok=True)
    progress.end()
    pieces = corpus.index.pieces
    result = Adaptation(
        bundle=load_bundle(target),
        style=name,
        base=bundle.name,
        pieces=len({piece.name.removesuffix(END) for piece in pieces}),
        notes=sum(piece.length for piece in pieces),
        held_out=sum(piece.length for piece in corpus.pieces("val")),
        skipped=len(corpus.index.broken),
        learned=learned,
        before=before,
        after=after,
        trials=trials,
    )
    if json_path is not None:
        _write_json(json_path, figures(result, chosen))
    return result


def _check_name(name: str, bundle: Bundle) -> None:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) or len(name) > _LONGEST_NAME:
        like = style_slug(name)[:_LONGEST_NAME].strip("-") or "me"
        raise SettingError(
            f"--name: {name!r} is not the name of a style; use up to {_LONGEST_NAME} lower-case letters, "
            f"digits and single hyphens, such as {like!r}"
        )
    if name in bundle.styles:
        raise SettingError(f"--name: {name!r} is a style of {bundle.name} already; choose another name")


def _default_folder(name: str) -> Path:
    own = bundle_folders()[-1]
    for path in find_bundles():
        if path.name == name and path.parent != own:
            raise SettingError(f"--name: {name!r} is the name of the model in {path}; choose another name")
    return own / name


def _check_outputs(out: Path, json_path: Path | None) -> None:
    if out.exists() and not (out / MANIFEST_FILE).is_file():
        raise SettingError(f"--out: {out} exists and is not a model bundle; give another folder")
    if json_path is not None:
        check_output(json_path)


def _export(
    base: BaseModel, learned: Learned, scale: float, folder: Path, bundle: Bundle, corpus: PackedCorpus
) -> Bundle:
    """Export the model with a share of the adapter merged, and open it."""
    name = base.styles[-1]
    export_model(
        TrainedModel(
            merged(base.model, learned.adapter, scale),
            base.styles,
            steps=learned.best_step,
            corpora=(),
            base=bundle.name,
        ),
        folder,
        name,
        command=f"tatumflow adapt FOLDER --name {name}",
        corpus=corpus,
        licence=bundle.manifest.licence,
        further_credits=bundle.manifest.corpora,
    )
    return load_bundle(folder)


def _foretold(model: TatumFlow, corpus: PackedCorpus) -> NllReport:
    return evaluate_nll(TorchLogits(model), corpus, "val", seq_len=model.config.max_seq_len).total


def _write_json(path: Path, content: Figures) -> None:
    try:
        write_whole(path, json.dumps(without_nan(content), indent=1, allow_nan=False) + "\n")
    except OSError as error:
        raise SettingError(
            f"--json: {path} cannot be written ({error.strerror}); give another file"
        ) from None

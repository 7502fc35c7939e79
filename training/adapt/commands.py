"""The `adapt` command: a user's folder of MIDI files becomes a style in a bundle of their own."""

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TextIO

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.model.bundle import (
    MANIFEST_FILE,
    Bundle,
    bundle_path,
    find_bundles,
    load_bundle,
)
from tatumflow.engine.model.model_folder import bundle_folders
from tatumflow.training.adapt.adapter import merged
from tatumflow.training.adapt.base_model import BaseModel, open_base
from tatumflow.training.adapt.budget import Budget, BudgetProgress, ended_by_sigterm
from tatumflow.training.adapt.diversity import held_out_places, largest_kept, play_on
from tatumflow.training.adapt.errors import AdaptError
from tatumflow.training.adapt.learning import Learned, LearningSettings, learn
from tatumflow.training.adapt.own_music import END, pack_own_music
from tatumflow.training.adapt.report import Adaptation, figures
from tatumflow.training.data.packing import PackedCorpus, style_slug
from tatumflow.training.data.windows import Windows
from tatumflow.training.evaluate.comparison import Figures, without_nan
from tatumflow.training.evaluate.generations import Performer
from tatumflow.training.evaluate.held_out import with_styles
from tatumflow.training.evaluate.likelihood.nll import NllReport, TorchLogits, evaluate_nll
from tatumflow.training.evaluate.primers import Notes
from tatumflow.training.export.checkpoint import TrainedModel
from tatumflow.training.export.commands import export_model
from tatumflow.training.export.files import whole_folder
from tatumflow.training.fit.precision import choose_precision
from tatumflow.training.models.tatumflow.model import TatumFlow

_LONGEST_NAME: Final = 64

_READING: Final = 0.5
"""Largest share of the time for reading."""

_PLAYING: Final = 0.05
"""Share of the time after which the base starts no continuation; the adapted model takes as long."""

_MEASURING: Final = 0.05
"""Share of the time for the held-out NLL, before and again after."""

_EXPORT_OVER_OPENING: Final = 7.0
"""Estimated duration of an export over that of opening the base: both run the same graphs."""

_SCORED_WINDOWS: Final = 2
"""Held-out windows on which an export checks its int8 weights."""

_LEAST_WINDOWS: Final = 60
"""Windows read in the time of the shortest training: two validations of 8, and ten steps of a batch of 2,
forward and backward."""

_MARGIN: Final = 1.2
"""Factor on the estimated duration of the rest."""


def adapt(
    folder: Path,
    name: str,
    *,
    model: str = "",
    out: Path | None = None,
    settings: LearningSettings | None = None,
    json_path: Path | None = None,
    budget: Budget | None = None,
    stream: TextIO | None = None,
) -> Adaptation:
    """Train an adapter on a user's MIDI files and write a bundle with their style added.

    Everything together takes `settings.minutes`: reading, playing and measuring before and after, and the
    export; training gets the rest. Ctrl-C ends the training and keeps the best adapter so far; at any other
    moment it ends the command, as SIGTERM always does, and no bundle is written.

    The adapter is merged whole, or the largest share of it that keeps the base's diversity (see `diversity`).

    Args:
        folder: The MIDI files; an archive of them will do.
        name: Slug of the new style.
        model: The base: name or folder of a bundle; empty for the one that comes with the package.
        out: Folder of the new bundle; by default one called `name` among the user's own models. A bundle that
            lies there is replaced.
        settings: How to train; the defaults when None.
        json_path: Where to write the figures.
        budget: The time for everything; `settings.minutes` from now on when None.
        stream: Where to show the progress; standard error by default.

    Raises:
        SettingError: if the name cannot be that of a style, is one already, or a file cannot be written.
        AdaptError: if there is too little music or time, or the adapter does not lower the held-out NLL.
        BundleError: if the base cannot be opened.
        CorpusError: if the folder cannot be opened.
        ExportError: if the bundle cannot be written or is not what was trained.
        TrainingError: if the loss stops being finite.
    """
    chosen = settings or LearningSettings()
    budget = budget or Budget(60 * chosen.minutes)
    bundle = load_bundle(bundle_path(model))
    _check_name(name, bundle)
    target = _default_folder(name) if out is None else out
    _check_outputs(target, json_path)
    scratch_folder = TemporaryDirectory(prefix="tatumflow-")
    with ended_by_sigterm(), scratch_folder as scratch, BudgetProgress(budget, stream) as progress:
        progress.begin(f"reading ({choose_precision()})")
        half = budget.within(_READING * budget.seconds)
        packed = pack_own_music(folder, Path(scratch) / "packed", name, chosen.seed, half)
        opening = budget.used
        base = open_base(bundle, name)
        opening = budget.used - opening
        corpus = with_styles(packed, base.styles)
        places = held_out_places(corpus, chosen.seed)

        # The base first: the adapted model will take as long, and training gets the rest.
        progress.begin("playing as before")
        playing = budget.used
        more = budget.within(_PLAYING * budget.seconds)
        played = play_on(Performer(bundle), places, "", chosen.seed, progress.update, more)
        playing = budget.used - playing
        progress.begin("measuring before")
        limit, measuring = _affordable_windows(base.model, corpus, budget)
        before = _held_out_nll(base.model, corpus, limit)
        trial = _EXPORT_OVER_OPENING * opening + playing
        training = _training_seconds(budget, trial, measuring, measuring / limit)
        progress.begin("training")
        learned = learn(base, corpus, chosen, progress.update, training)

        def play(scale: float) -> Sequence[Notes]:
            nonlocal trial
            trial = budget.used
            progress.begin(f"exporting {scale:.0%} of the adapter")
            whole = _export(base, learned, scale, Path(scratch) / f"{scale:g}", bundle, corpus)
            progress.begin(f"playing with {scale:.0%} of the adapter")
            in_time = budget.within(budget.left - measuring)
            notes = play_on(Performer(whole), places_played, name, chosen.seed, progress.update, in_time)
            trial = budget.used - trial
            return notes

        places_played = replace(places, primers=places.primers[: len(played)])
        trials = largest_kept(play, played, lambda: int((budget.left - measuring) / trial))
        progress.begin("measuring after")
        after = _held_out_nll(merged(base.model, learned.adapter, trials[-1].scale), corpus, limit)
        with whole_folder(target) as new:
            shutil.copytree(Path(scratch) / f"{trials[-1].scale:g}", new, dirs_exist_ok=True)
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


def _training_seconds(budget: Budget, trial: float, measuring: float, window: float) -> float:
    """Return the seconds that training may take.

    `trial` are the seconds of an export and of playing with it, `measuring` those of the measurement after,
    `window` those of one of its windows.

    Raises:
        AdaptError: if too little time is left for the shortest training.
    """
    least = _LEAST_WINDOWS * window
    after = _MARGIN * (trial + measuring)
    if budget.left < least + after:
        needed = (budget.used + least + after) / 60
        raise AdaptError(
            f"--minutes: {budget.seconds / 60:g} are too few on this machine; reading, measuring, export and "
            f"the shortest training need about {needed:.1f}"
        )
    # Leaves time for one trial of a smaller share of the adapter.
    return max(budget.left - after - trial, least)


def _affordable_windows(model: TatumFlow, corpus: PackedCorpus, budget: Budget) -> tuple[int, float]:
    """Return the number of held-out windows that there is time for, and the seconds that they take."""
    begun = budget.used
    _held_out_nll(model, corpus, 1)
    one = max(budget.used - begun, 1e-3)
    windows = len(Windows(corpus, "val", model.config.max_seq_len).epoch(0))
    count = min(max(int(_MEASURING * budget.seconds / one), 1), windows)
    return count, count * one


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
        scored_windows=_SCORED_WINDOWS,
        base=bundle.manifest,
    )
    return load_bundle(folder)


def _held_out_nll(model: TatumFlow, corpus: PackedCorpus, limit: int) -> NllReport:
    """Return the NLL of held-out windows, the same ones for every model."""
    length = model.config.max_seq_len
    return evaluate_nll(TorchLogits(model), corpus, "val", seq_len=length, limit=limit).total


def _write_json(path: Path, content: Figures) -> None:
    try:
        write_whole(path, json.dumps(without_nan(content), indent=1, allow_nan=False) + "\n")
    except OSError as error:
        raise SettingError(
            f"--json: {path} cannot be written ({error.strerror}); give another file"
        ) from None

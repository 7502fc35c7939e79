"""A blind listening test: the same primers continued by the player and by models, in random order."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.model.bundle import bundle_path, load_bundle
from tatumflow.engine.model.style_names import player_name
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.classifiers.discriminator import snapped
from tatumflow.training.evaluate.comparison import Figures
from tatumflow.training.evaluate.generations import Performer, seed_of, to_notes
from tatumflow.training.evaluate.primers import Notes, Primer, draw_primers
from tatumflow.training.evaluate.progress import Progress
from tatumflow.training.evaluate.report.examples import Example, WriteSound, moved, write_examples
from tatumflow.training.pages.page import render
from tatumflow.training.samples.page import SOUND
from tatumflow.training.samples.real import credits_of

PAGE: Final = "blind.html"
KEY: Final = "blind.json"
CLIPS: Final = 24
"""Clips of a test; with two models, eight primers in three versions."""

PLAYER: Final = "the player"

_SECONDS: Final = 15.0
_LETTERS: Final = "ABCDEFGH"


@dataclass(frozen=True)
class Clip:
    """A primer and one continuation of it.

    Attributes:
        letter: Its name within its row, A first.
        by: Who plays the continuation: `PLAYER`, or the folder of a bundle.
        example: Its files; the names do not show who plays.
    """

    letter: str
    by: str
    example: Example


@dataclass(frozen=True)
class Row:
    """The clips of one primer, in random order.

    Attributes:
        primer: The primer.
        clips: One by the player, one by each model.
    """

    primer: Primer
    clips: tuple[Clip, ...]


def make_blind_test(
    models: Sequence[str],
    out: Path,
    corpus: Path,
    *,
    clips: int = CLIPS,
    seed: int = 0,
    write_sound: WriteSound | None = None,
    progress: Progress | None = None,
    back: str = "",
) -> tuple[Row, ...]:
    """Continue held-out primers by each model, and write a page that hides who plays until it is clicked.

    Every version of a primer is put on the transcriber's frames of 32 ms and on the model's grid of
    velocities, so that the grid does not show who plays, and is rendered with the same instrument.

    Args:
        models: Names or folders of bundles, one to seven.
        out: Folder for the page, the key as JSON and the clips, made if it does not exist.
        corpus: A packed corpus; primers come from its validation side.
        clips: Most clips.
        seed: Seed of primers, continuations and order.
        write_sound: Makes the sound files; None for MIDI only.
        progress: Display of the progress; on standard error by default.
        back: File in the folder above that the page links back to; empty for none.

    Returns:
        The rows of the page.

    Raises:
        BundleError: if a bundle cannot be opened.
        CorpusError: if the corpus cannot be opened or has too few primers.
        SettingError: if there is no model or too many, two have the same name, or the folder cannot be
            written.
        ModelFault: if a model's output is not finite.
    """
    paths = [bundle_path(model) for model in models]
    names = [path.name for path in paths]
    if not 1 <= len(names) < len(_LETTERS) or len({*names}) < len(names):
        raise SettingError(f"--blind: {', '.join(names)}: give one to seven models in folders of other names")
    bundles = dict(zip(names, map(load_bundle, paths), strict=True))
    packed = PackedCorpus.open(corpus)
    primers = draw_primers(packed, "val", max(clips // (len(names) + 1), 1), seconds=_SECONDS, seed=seed)
    shown = progress or Progress(command="samples")
    played: dict[str, list[Notes]] = {PLAYER: [primer.real for primer in primers]}
    for name, bundle in bundles.items():
        performer = Performer(bundle)
        played[name] = []
        for i, primer in enumerate(primers):
            shown.begin(f"{name}: {i + 1} of {len(primers)}")
            controls = Controls(style=performer.style_of(primer.player))
            played[name].append(performer.continuation(primer.notes, _SECONDS, controls, seed_of(seed, i)))
    shown.end()
    rows = _shuffled(primers, played, seed)
    about = {"credits": credits_of(packed), "back": back}
    return _written(rows, names, out, seed, write_sound, about)


def _shuffled(primers: Sequence[Primer], played: dict[str, list[Notes]], seed: int) -> list[Row]:
    rng = np.random.default_rng((seed, 1))
    rows: list[Row] = []
    for number, primer in enumerate(primers):
        order = [list(played)[i] for i in rng.permutation(len(played))]
        given = tuple(to_notes(snapped(primer.notes)))
        clips = [
            Clip(
                letter,
                by,
                Example(
                    f"{number + 1:02d}-{letter}",
                    f"{number + 1}{letter}",
                    "",
                    given,
                    moved(to_notes(snapped(played[by][number])), given[-1].onset),
                ),
            )
            for letter, by in zip(_LETTERS, order, strict=False)
        ]
        rows.append(Row(primer, tuple(clips)))
    return rows


def _written(
    rows: Sequence[Row],
    names: Sequence[str],
    out: Path,
    seed: int,
    write_sound: WriteSound | None,
    about: Figures,
) -> tuple[Row, ...]:
    clips = [clip for row in rows for clip in row.clips]
    try:
        out.mkdir(parents=True, exist_ok=True)
        examples, silent = write_examples((clip.example for clip in clips), out, write_sound, SOUND)
        done = iter(examples)
        written = tuple(
            Row(row.primer, tuple(Clip(clip.letter, clip.by, next(done)) for clip in row.clips))
            for row in rows
        )
        key = {clip.example.name: clip.by for row in written for clip in row.clips}
        write_whole(out / KEY, json.dumps({"seed": seed, "seconds": _SECONDS, "clips": key}, indent=1) + "\n")
        page = render(
            "blind.html",
            "tatumflow.training.samples",
            title="Which of them is the player?",
            command=_command(names, seed, alone=not about["back"]),
            **about,
            rows=written,
            titles=[_title(row.primer) for row in written],
            player=PLAYER,
            seconds=_SECONDS,
            silent=silent,
            suffix=SOUND,
        )
        write_whole(out / PAGE, page)
    except OSError as error:
        raise SettingError(f"{out}: cannot be written ({error.strerror}); give another folder") from None
    return written


def _command(names: Sequence[str], seed: int, *, alone: bool) -> str:
    others = "".join(f" --blind {name}" for name in names[1:]) if alone else ""
    return f"tatumflow samples {names[0]}{others} -o DIR --corpus CORPUS --seed {seed}"


def _title(primer: Primer) -> str:
    return f"{player_name(primer.player) or 'unknown player'}, {primer.title or primer.piece}"

"""The command `tatumflow portfolio`."""

import base64
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.model.bundle import Bundle, bundle_path, load_bundle
from tatumflow.training.evaluate.report.examples import WriteSound
from tatumflow.training.pages.page import render
from tatumflow.training.portfolio.figures import FigureTable, metric_tables, read_tables
from tatumflow.training.publish.sounds import SOUNDS, SoundExample, write_examples

PAGE: Final = "index.html"
SLIDES: Final = "slides.html"

SLIDE_ROWS: Final = 8
"""Most figures on a slide."""

_PACKAGE: Final = "tatumflow.training.portfolio"


@dataclass(frozen=True)
class Portfolio:
    """What was written.

    Attributes:
        page: The page.
        slides: The slides.
        demos: The demos, files relative to the page's folder.
        silent: Why there is no sound; empty where there is.
    """

    page: Path
    slides: Path
    demos: tuple[SoundExample, ...]
    silent: str


def make_portfolio(
    model: str,
    out: Path,
    figures: Sequence[Path] = (),
    *,
    styles: Sequence[str] = (),
    seed: int = 0,
    write_sound: WriteSound | None = None,
) -> Portfolio:
    """Write a page of figures beside their commands, demos as MIDI and MP3, and slides in one file.

    Every figure is of a file in `figures` or of the model's manifest. The slides leave the latter out where
    there are others.

    Args:
        model: Name or folder of a bundle; the first at hand when empty.
        out: Folder to write, made if it does not exist; files of an earlier run are replaced.
        figures: Files that `--json` of `tatumflow bench` or `tatumflow evaluate` wrote.
        styles: Styles of the demos; by default known ones that the model has.
        seed: Seed of the demos.
        write_sound: Makes the sound files; None for MIDI only.

    Raises:
        BundleError: if the bundle cannot be opened.
        SettingError: if a file of figures or a style is unusable, or the folder cannot be written.
        ModelFault: if the model's output is not finite.
    """
    if out.exists() and not out.is_dir():
        raise SettingError(f"{out}: is a file; give the name of a folder")
    bundle = load_bundle(bundle_path(model))
    measured, own = read_tables(figures), metric_tables(bundle.name, bundle.manifest.metrics)
    try:
        out.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(out / SOUNDS, ignore_errors=True)
        demos, silent = write_examples(bundle, out, styles, seed, write_sound)
        page, slides = out / PAGE, out / SLIDES
        common = {
            "title": f"TatumFlow: {bundle.name}",
            "command": _command(bundle.name, figures, styles, seed),
            "facts": _facts(bundle),
            "credits": bundle.manifest.corpora,
            "demos": demos,
            "silent": silent,
            "slides": SLIDES,
        }
        write_whole(page, render("portfolio.html", _PACKAGE, tables=[*measured, *own], **common))
        embedded = [_embedded(out / demo.sound) if demo.sound else "" for demo in demos]
        parts = [part for table in measured or own for part in _slides_of(table)]
        write_whole(slides, render("slides.html", _PACKAGE, tables=parts, embedded=embedded, **common))
    except OSError as error:
        raise SettingError(f"{out}: cannot be written ({error.strerror}); give another folder") from None
    return Portfolio(page, slides, tuple(demos), silent)


def _facts(bundle: Bundle) -> list[tuple[str, str]]:
    manifest, dims = bundle.manifest, bundle.manifest.dims
    size = sum(graph.bytes for graph in manifest.graphs.values()) / 1e6
    precisions = ", ".join(sorted({graph.precision for graph in manifest.graphs.values()}))
    return [
        ("network", f"{dims.num_layers} layers of width {dims.hidden_dim}"),
        ("attention", f"{dims.num_kv_heads} key-value heads of width {dims.head_dim}"),
        ("context", f"{manifest.window} notes"),
        ("on disk", f"{size:.1f} MB of ONNX graphs ({precisions})"),
        ("styles", str(sum(1 for style in manifest.styles if style))),
        ("licence of the weights", manifest.licence),
    ]


def _slides_of(table: FigureTable) -> list[FigureTable]:
    """Return a table in pieces of a slide each."""
    return [
        FigureTable(table.source, table.command, table.model, table.rows[i : i + SLIDE_ROWS])
        for i in range(0, len(table.rows), SLIDE_ROWS)
    ]


def _embedded(sound: Path) -> str:
    return "data:audio/mpeg;base64," + base64.b64encode(sound.read_bytes()).decode("ascii")


def _command(model: str, figures: Sequence[Path], styles: Sequence[str], seed: int) -> str:
    command = f"tatumflow portfolio {model} -o DIR"
    command += "".join(f" --figures {path.name}" for path in figures)
    command += "".join(f" --style {style}" for style in styles)
    return f"{command} --seed {seed}"

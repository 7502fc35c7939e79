"""The `evaluate` command: figures of a checkpoint or a bundle on held-out pieces."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.model.bundle import load_bundle
from tatumflow.training.evaluate.comparison import Figures
from tatumflow.training.evaluate.evaluation import Evaluation, EvaluationResult
from tatumflow.training.evaluate.figure_lines import compared_line, interval_line
from tatumflow.training.evaluate.figures_file import evaluation_command, write_figures
from tatumflow.training.evaluate.held_out import opened_corpus
from tatumflow.training.evaluate.opened_model import open_model
from tatumflow.training.evaluate.progress import Progress
from tatumflow.training.evaluate.report.bebop_table import bebop_lines
from tatumflow.training.evaluate.report.examples import WriteSound
from tatumflow.training.evaluate.report.listener_table import listener_lines
from tatumflow.training.evaluate.report.report import write_report
from tatumflow.training.evaluate.report.trading_table import trading_lines
from tatumflow.training.evaluate.settings import EvaluationSettings

_SUMMARY = ("nll_per_note", "nll_per_token", "perplexity", "note_accuracy")


def evaluate(
    model: Path,
    corpus: Sequence[Path],
    settings: EvaluationSettings | None = None,
    *,
    json_path: Path | None = None,
    report: Path | None = None,
    write_sound: WriteSound | None = None,
    progress: Progress | None = None,
) -> EvaluationResult:
    """Evaluate a model on held-out pieces.

    Args:
        model: A checkpoint that `tatumflow train` wrote, or the folder of a run or a bundle. Only a bundle
            plays; checkpoints have likelihoods alone.
        corpus: The folder of a packed corpus; or folders and archives as `tatumflow data prepare` reads them.
        settings: What to measure; everything when None.
        json_path: Where to write the figures, with the command that made them.
        report: Folder for a page with tables, plots and examples.
        write_sound: Makes the examples' sound files; without it they are MIDI only.
        progress: Display of the progress; on standard error by default.

    Raises:
        CheckpointError: if a checkpoint cannot be read.
        BundleError: if a bundle cannot be read.
        CorpusError: if a corpus cannot be read, has no such side, or is too small for a requested part.
        SettingError: if a part is unknown or needs a model that plays, or a file cannot be written.
        ModelFault: if the model's output is not finite.
    """
    chosen = settings or EvaluationSettings()
    _check_outputs(json_path, report)
    opened = open_model(model)
    bundle = load_bundle(model) if opened.runtime == "onnx" else None
    with opened_corpus(corpus) as packed:
        result = Evaluation(opened, bundle, packed, chosen, progress).run()
    header = {"command": evaluation_command(model, chosen), "model": opened.name, "runtime": opened.runtime}
    result = result.described({**header, "split": chosen.split, "seed": chosen.seed})
    if json_path is not None:
        write_figures(json_path, result.figures)
    if report is not None:
        write_report(result, report, write_sound)
    return result


def table(figures: Figures) -> Iterator[str]:
    """Write the figures as lines of text, with 95 % intervals."""
    for name in _SUMMARY:
        if name in figures:
            yield interval_line(name, figures[name]["value"], figures[name]["interval"])
    for name, figure in figures.get("nll_fields", {}).items():
        yield interval_line(f"  {name}", figure["value"], figure["interval"])
    for corpus, part in figures.get("nll_corpora", {}).items():
        interval = part["nll_per_note"]
        yield interval_line(f"  nll_per_note, {corpus}", interval["value"], interval["interval"])
    yield from _latent_lines(figures)
    yield from _endless_lines(figures)
    for name, figure in figures.items():
        if isinstance(figure, dict) and "real_later" in figure:
            other = f"; real later {figure['real_later'][figure['of']]:.3f}"
            yield interval_line(f"{name}, {figure['of']}", figure["value"], figure["interval"]) + other
        elif isinstance(figure, dict) and "ratio" in figure:
            yield compared_line(name, figure)
    yield from listener_lines(figures)
    for style, figure in figures.get("style_match", {}).items():
        yield compared_line(f"style_match, {style}", figure)
    for name in ("style_blend", "style_strength"):
        if figures.get(name):
            yield f"{name:<34} monotone {_yes(figures[name]['monotone'])}"
    if "top1" in figures.get("style_classifier", {}):
        accuracy = figures["style_classifier"]["top1"]
        yield interval_line("style_classifier, top 1", accuracy["value"], accuracy["interval"])
    for name, row in figures.get("answer_relevance", {}).items():
        if isinstance(row, dict):
            line = interval_line(f"answer_relevance, {name}", row["difference"], row["interval"])
            yield f"{line}; own call {row['own']:.3f}"
    for name, settings in figures.get("answer_motifs", {}).items():
        for setting, row in settings.items():
            line = interval_line(
                f"answer_motifs, {name}, {setting}", row["own"]["value"], row["own"]["interval"]
            )
            yield f"{line}; other calls {row['other']['value']:.3f}, ratio {row['ratio']['value']:.3f}"
    for name, control in figures.get("control_response", {}).items():
        values = " ".join(f"{value:.3f}" for value in control["values"])
        yield f"{'control_response, ' + name:<34} {values}; monotone {_yes(control['monotone'])}"
    yield from _edit_lines(figures)
    for name, row in figures.get("improvise", {}).items():
        if isinstance(row, dict):
            line = interval_line(f"improvise, {name}", row["value"], row["interval"])
            if "real" in row:
                low, high = row["real_range"]
                line += f"; real {row['real']:.3f} [{low:.3f}, {high:.3f}], {row['within']} takes within"
            yield line
    for name, row in figures.get("tunes", {}).items():
        if isinstance(row, dict):
            yield interval_line(f"tunes, {name}", row["value"], row["interval"])
    yield from bebop_lines(figures)
    yield from trading_lines(figures)
    for kind in ("exact", "transposed"):
        if "memorization" in figures:
            yield compared_line(f"memorization, {kind}", figures["memorization"][kind]["longest_run"])
    for part, reason in figures.get("skipped", {}).items():
        yield f"left out: {part}: {reason}"


def _endless_lines(figures: Figures) -> Iterator[str]:
    if "endless" in figures:
        endless = figures["endless"]
        for name in ("nll_endless", "difference", "step_ms"):
            values = " ".join(f"{value:.3f}" for value in endless[name])
            yield f"{'endless, ' + name:<34} {values}"


def _latent_lines(figures: Figures) -> Iterator[str]:
    for condition, figure in figures.get("latent_nll", {}).items():
        if isinstance(figure, dict):
            line = interval_line(f"latent_nll, given {condition}", figure["value"], figure["interval"])
            yield f"{line}; gain {figure['gain']['value']:.3f}"
    if "latent_active" in figures:
        active = figures["latent_active"]
        yield f"{'latent_active':<34} {active['values']} of {active['of']}"
    for source, row in figures.get("latent_probes", {}).items():
        values = " ".join(f"{part} {value:.3f}" for part, value in row.items())
        yield f"{'latent_probes, ' + source:<34} {values}"


def _edit_lines(figures: Figures) -> Iterator[str]:
    for name, edit in figures.get("theory_edits", {}).get("edits", {}).items():
        line = interval_line(f"edit, {name}", edit["moved"], edit["interval"])
        others = ", ".join(
            f"{part} {move['ratio']:.2f}" for part, move in edit["parts"].items() if part != edit["part"]
        )
        yield f"{line}; of {edit['before']:.3f}; others {others}; held {_yes(edit['held'])}"


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _check_outputs(json_path: Path | None, report: Path | None) -> None:
    if json_path is not None:
        check_output(json_path)
    if report is not None and report.exists() and not report.is_dir():
        raise SettingError(f"{report}: is a file; give the name of a folder")

"""The report of an adaptation: a table for the user, and figures as JSON."""

from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.model_folder import bundle_folders
from tatumflow.training.adapt.diversity import KEPT, Trial
from tatumflow.training.adapt.learning import Learned, LearningSettings
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.evaluate.likelihood.nll import NllReport


@dataclass(frozen=True)
class Adaptation:
    """A finished adaptation: a style that was added to a bundle.

    Attributes:
        bundle: The new bundle.
        style: Its new style.
        base: Name of the bundle it was made from.
        pieces: Number of pieces read.
        notes: Number of their notes.
        held_out: Number of held-out notes.
        skipped: Files that could not be read.
        learned: The adapter, and how it was trained.
        before: Held-out NLL of the base, without a style.
        after: Held-out NLL of the adapted model, in the new style.
        trials: Shares of the adapter that were tried; the last is in the bundle.
    """

    bundle: Bundle
    style: str
    base: str
    pieces: int
    notes: int
    held_out: int
    skipped: int
    learned: Learned
    before: NllReport
    after: NllReport
    trials: tuple[Trial, ...]

    @property
    def scale(self) -> float:
        """Share of the adapter that is in the bundle."""
        return self.trials[-1].scale


def figures(result: Adaptation, settings: LearningSettings) -> Figures:
    """Return the figures that `--json` writes."""
    return {
        "command": f"tatumflow adapt FOLDER --name {result.style} --minutes {settings.minutes:g} "
        f"--seed {settings.seed}",
        "base": result.base,
        "style": result.style,
        "pieces": result.pieces,
        "notes": result.notes,
        "held_out_notes": result.held_out,
        "training_minutes": result.learned.minutes,
        "steps": result.learned.steps,
        "best_step": result.learned.best_step,
        "settings": asdict(settings),
        "scale": result.scale,
        "nll_per_note": {
            "before": value_and_interval(result.before.per_note),
            "after": value_and_interval(result.after.per_note),
        },
        "nll_fields": {
            field: {"before": result.before.fields[field].value, "after": result.after.fields[field].value}
            for field in result.before.fields
        },
        "diversity": [
            {
                **asdict(trial),
                "distinct_voicings_kept": trial.voicings_kept,
                "pitch_entropy_kept": trial.entropy_kept,
                "kept": trial.kept,
            }
            for trial in result.trials
        ],
    }


def show(result: Adaptation, console: Console | None = None) -> None:
    """Print a table of before and after, and how to play with the new style."""
    console = console or Console()
    last = result.trials[-1]
    table = Table(title=f"{result.base}, before and after")
    table.add_column("figure")
    for heading in ("before", "after", "kept"):
        table.add_column(heading, justify="right")
    for name, values in (
        ("nats a note, held out", (result.before.per_note.value, result.after.per_note.value)),
        *((f"  {f}", (v.value, result.after.fields[f].value)) for f, v in result.before.fields.items()),
    ):
        table.add_row(name, *(f"{value:.3f}" for value in values), "")
    table.add_row(
        "distinct voicings", str(last.base.voicings), str(last.adapted.voicings), f"{last.voicings_kept:.0%}"
    )
    entropies = (last.base.pitch_entropy, last.adapted.pitch_entropy)
    table.add_row(
        "pitch entropy (bits)", *(f"{value:.3f}" for value in entropies), f"{last.entropy_kept:.0%}"
    )
    console.print(table)
    learned = result.learned
    skipped = f", {result.skipped} files skipped" if result.skipped else ""
    console.print(
        f"{result.notes:,} notes of {result.pieces} pieces, {result.held_out:,} of them held out{skipped}; "
        f"{learned.steps} steps in {learned.minutes:.1f} minutes, the best at {learned.best_step}",
        highlight=False,
    )
    if result.scale < 1:
        console.print(
            f"{result.scale:.0%} of the adapter is merged: more would keep less than {KEPT:.0%} of the "
            "base's diversity",
            highlight=False,
        )
    found = bundle_folders()[-1] == result.bundle.path.parent
    where = result.bundle.path.name if found else result.bundle.path
    console.print(
        f"play with it: tatumflow jam --model {where} --style {result.style}", highlight=False, soft_wrap=True
    )

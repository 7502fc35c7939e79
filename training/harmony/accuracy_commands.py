"""The command `tatumflow data chords`."""

import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.turns.heard_harmony import HOLD
from tatumflow.training.data.corpora.annotated_solo import AnnotatedSolo, read_annotated_solos
from tatumflow.training.data.corpora.piece import BrokenFile
from tatumflow.training.evaluate.bootstrap import Interval
from tatumflow.training.harmony.accuracy import MEASURES, Accuracy, evaluate_chords
from tatumflow.training.harmony.live_accuracy import LiveAccuracy, evaluate_live_chords


def chords(
    source: Path, json_path: Path | None = None, seed: int = 0, console: Console | None = None
) -> list[Accuracy]:
    """Measure the chord estimator on the Weimar Jazz Database and print the table.

    Args:
        source: The folder of the database, or the archive of it.
        json_path: Where to write the figures, with the command that made them.
        seed: Seed of the choice of validation tunes, as for `tatumflow data prepare`.
        console: Where to print; by default the terminal.

    Raises:
        CorpusError: if the source cannot be read or holds no chords, or the figures cannot be written.
    """
    console = console or Console()
    if json_path is not None:
        check_output(json_path)
    solos: list[AnnotatedSolo] = []
    for item in read_annotated_solos(source, seed):
        if isinstance(item, BrokenFile):
            console.print(f"skipped {item.path}: {item.reason}", markup=False)
        else:
            solos.append(item)
    rows = evaluate_chords(solos, seed=seed)
    live = evaluate_live_chords(solos, seed=seed)
    console.print(_table(rows, live))
    if json_path is not None:
        content = {
            "command": f"tatumflow data chords {Path(source).name} --seed {seed}",
            "rows": [asdict(row) for row in rows],
            "live": [asdict(row) for row in live],
        }
        try:
            write_whole(json_path, json.dumps(content, indent=1) + "\n")
        except OSError as error:
            raise CorpusError(
                f"{json_path}: cannot be written ({error.strerror}); choose another place"
            ) from error
    return rows


def _table(rows: list[Accuracy], live: list[LiveAccuracy]) -> Table:
    table = Table(title="Estimated chords, % of the time right [95 % over tunes]")
    for heading in ("input", "split", "answer"):
        table.add_column(heading)
    for measure in MEASURES:
        table.add_column(measure, justify="right")
    for row, heard in zip(rows, live, strict=True):
        place = (row.source, f"{row.split or 'all'}, {row.solos} solos")
        table.add_row(*place, "estimated", *(_figure(row.estimated[m]) for m in MEASURES))
        table.add_row("", "", "live", *(_figure(heard.live[m]) for m in MEASURES))
        sure = f"live where sure, {100 * heard.sure_share:.0f} % of the time"
        table.add_row("", "", sure, *(_figure(heard.sure[m]) for m in MEASURES))
        later = f"live where sure, {HOLD:.0f} s later"
        table.add_row("", "", later, "", "", "", f"{100 * heard.sure_later:.1f}")
        delay = f"{heard.delay_seconds:.2f} s, {heard.delay_beats:.1f} beats after a change"
        table.add_row("", "", f"live, median: {delay} ({100 * heard.found:.0f} % found)")
        table.add_row("", "", "shuffled", *(_figure(row.shuffled[m]) for m in MEASURES))
        table.add_row("", "", "tonic", *(_figure(row.tonic[m]) for m in MEASURES))
        table.add_row("", "", "constant", *(f"{100 * row.constant[m]:.1f}" for m in MEASURES))
        lengths = f"a chord lasts {row.chord_seconds:.2f} s, truly {row.true_chord_seconds:.2f} s"
        table.add_row("", "", lengths, end_section=True)
    return table


def _figure(interval: Interval) -> str:
    return f"{100 * interval.value:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"

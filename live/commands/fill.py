"""`tatumflow fill`: bars of a take filled anew from what is on both sides of them."""

import re
from dataclasses import dataclass
from pathlib import Path

from tatumflow.engine.errors import SettingError
from tatumflow.engine.midi.midi_file import check_length, read_midi
from tatumflow.engine.rolls.bar_fill import Span, fill_span, outside
from tatumflow.engine.rolls.beat_grid import GridSource, performance_grid
from tatumflow.engine.rolls.grid import BEATS_PER_BAR
from tatumflow.live.commands.piano_roll_text import piano_roll
from tatumflow.live.commands.progress import WorkProgress
from tatumflow.live.commands.roll import RollOptions, check_outputs, check_steps, write_both


@dataclass(frozen=True)
class FillOptions:
    """What `tatumflow fill` gets beside the shared options.

    Attributes:
        source: The MIDI file of the take.
        out: The MIDI file to write; of several variations, NAME-1.mid and so on.
        bars: The bars, FIRST-LAST or one, counted from 1.
        variations: How many to write.
        grid: Where the beats come from.
        beats_per_bar: Beats of a bar.
    """

    source: Path
    out: Path
    bars: str
    variations: int = 1
    grid: GridSource = "auto"
    beats_per_bar: int = BEATS_PER_BAR

    @property
    def outputs(self) -> list[Path]:
        """The files to write."""
        if self.variations == 1:
            return [self.out]
        numbers = range(1, self.variations + 1)
        return [self.out.with_name(f"{self.out.stem}-{number}{self.out.suffix}") for number in numbers]


def fill(options: FillOptions, shared: RollOptions) -> list[Path]:
    """Fill bars of a MIDI file, and write the take with them; the notes outside are untouched.

    Raises:
        TatumFlowError: if a setting, the file, the model or an output does not fit.
    """
    first, last = parse_bars(options.bars)
    sampling, outputs = shared.sampling, options.outputs
    check_outputs(options.source, outputs)
    performance = read_midi(options.source)
    check_length(options.source, performance.notes)
    model = shared.opened()
    conditions = shared.conditions(model)
    grid, beats = performance_grid(performance.notes, performance.tempo, options.grid, options.beats_per_bar)
    start, stop = grid.bar_steps(first, last)
    ended = float(max(grid.steps([note.offset for note in performance.notes])))
    if start >= ended:
        bars = int(ended // grid.steps_per_bar) + 1
        raise SettingError(
            f"bars: {options.bars} lies after the last note, in bar {bars}; choose earlier ones"
        )
    check_steps("bars", stop - start)
    span = Span(grid, start, stop, beats)
    with WorkProgress("filling", stop - start, "steps") as progress:
        found = fill_span(
            model,
            performance.notes,
            span,
            conditions,
            sampling,
            shared.seed,
            options.variations,
            progress=lambda done: progress.show(max(done - start, 0)),
        )
    kept = outside(performance.notes, span)
    bar = span.grid.steps_per_bar
    low, high = span.grid.seconds([start - 2 * bar, stop + 2 * bar])
    near = [note for note in kept if low <= note.onset <= high]
    for path, filled in zip(outputs, found, strict=True):
        write_both(path, kept, filled, performance.tempo)
        print(piano_roll(near, filled))
        print(f"written: {path} ({len(filled)} notes in bars {options.bars}; {len(kept)} kept as they were)")
    return outputs


def parse_bars(text: str) -> tuple[int, int]:
    """Return the first and last bar of "FIRST-LAST", or of one number.

    Raises:
        SettingError: if the text is neither, or names no bar.
    """
    match = re.fullmatch(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?", text)
    first = int(match.group(1)) if match else 0
    last = int(match.group(2) or first) if match else 0
    if not 1 <= first <= last:
        raise SettingError(f"bars: {text!r} is not FIRST-LAST, such as 5-8, counted from 1")
    return first, last

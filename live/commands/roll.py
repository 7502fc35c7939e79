"""`tatumflow roll`: sampled piano rolls as MIDI files, and continuations of a file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.midi.midi_file import (
    MidiTrack,
    check_length,
    read_midi,
    write_midi,
)
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.midi.tempo_map import FASTEST_TEMPO, SLOWEST_TEMPO
from tatumflow.engine.model.style_names import player_name
from tatumflow.engine.rolls.bar_fill import Span, fill_span
from tatumflow.engine.rolls.beat_grid import GridSource, performance_grid
from tatumflow.engine.rolls.bundle import load_rolls, rolls_path
from tatumflow.engine.rolls.conditions import RollConditions
from tatumflow.engine.rolls.grid import BEATS_PER_BAR, StepGrid
from tatumflow.engine.rolls.notes import notes_of
from tatumflow.engine.rolls.onnx_levels import open_rolls
from tatumflow.engine.rolls.sampler import RollSampling
from tatumflow.engine.rolls.windows import RollModel, sample_rolls
from tatumflow.live.commands.piano_roll_text import piano_roll
from tatumflow.live.commands.progress import WorkProgress

MOST_STEPS = 4096
"""Steps that are sampled at most: 256 bars."""

DEFAULT_TEMPO = 120.0


@dataclass(frozen=True)
class RollOptions:
    """What the commands on rolls share.

    Attributes:
        model: Roll model: a name or a folder; the first that is found when empty.
        style: Slug of a player whose style the model was trained on; empty for none.
        density: 1 for the sparsest to 8, 0 for any, or for that of the file.
        key: Key such as "Eb" or "C minor"; empty for any, or for that of the file.
        temperature: Randomness, 0 to 2.
        guidance: Scale of classifier-free guidance, 0 to 10.
        seed: Seed of the draws.
        threads: Threads of the model.
    """

    model: str = ""
    style: str = ""
    density: int = 0
    key: str = ""
    temperature: float = 1.0
    guidance: float = 1.0
    seed: int = 0
    threads: int = 1

    @property
    def sampling(self) -> RollSampling:
        """How rolls are sampled.

        Raises:
            SettingError: if a value is out of range.
        """
        return RollSampling(self.temperature, self.guidance)

    def opened(self) -> RollModel:
        """Open the model.

        Raises:
            BundleError: if there is none, or it is damaged.
        """
        return open_rolls(load_rolls(rolls_path(self.model)), threads=self.threads)

    def conditions(self, model: RollModel) -> RollConditions:
        """Return the conditions.

        Raises:
            SettingError: if the model has no such style, the density is out of range, or the key is none.
        """
        if self.style not in model.styles:
            known = ", ".join(model.styles[1:]) or "none"
            raise SettingError(f"style: the model has no {self.style!r}; choose from {known}")
        return RollConditions(model.styles.index(self.style), self.density, key=self.key)


@dataclass(frozen=True)
class SampleOptions:
    """What `tatumflow roll sample` gets beside the shared options.

    Attributes:
        out: Folder of the MIDI files, made if missing.
        count: Number of rolls.
        width: Steps of each: sixteenths, a multiple of 4.
        tempo: Beats per minute of the files.
    """

    out: Path
    count: int = 1
    width: int = 256
    tempo: float = DEFAULT_TEMPO


def sample(options: SampleOptions, shared: RollOptions) -> list[Path]:
    """Sample rolls and write each as a MIDI file; return the files.

    Raises:
        TatumFlowError: if a setting, the model or an output does not fit.
    """
    check_steps("width", options.width)
    if not SLOWEST_TEMPO <= options.tempo <= FASTEST_TEMPO:
        raise SettingError(f"tempo: {options.tempo} is not within {SLOWEST_TEMPO:g} to {FASTEST_TEMPO:g}")
    sampling, model = shared.sampling, shared.opened()
    conditions = shared.conditions(model)
    conditions = replace(conditions, grid="beats")
    paths = [options.out / f"roll-{number:02}.mid" for number in range(1, options.count + 1)]
    for path in paths:
        check_output(path, makes_folder=True)
    with WorkProgress("sampling", options.width, "steps") as progress:
        rolls = sample_rolls(
            model, options.width, [conditions] * options.count, sampling, shared.seed, progress.show
        )
    options.out.mkdir(parents=True, exist_ok=True)
    grid = StepGrid.of_tempo(options.tempo)
    for path, roll in zip(paths, rolls, strict=True):
        notes = notes_of(roll, grid)
        write_midi(path, [MidiTrack(player_name(shared.style) or "roll", notes)], options.tempo)
        print(f"written: {path} ({options.width // grid.steps_per_bar} bars, {len(notes)} notes)")
    return paths


@dataclass(frozen=True)
class ContinueOptions:
    """What `tatumflow roll continue` gets beside the shared options.

    Attributes:
        source: The MIDI file.
        out: The MIDI file to write.
        bars: Bars to add.
        grid: Where the beats come from.
        beats_per_bar: Beats of a bar.
    """

    source: Path
    out: Path
    bars: int = 8
    grid: GridSource = "auto"
    beats_per_bar: int = BEATS_PER_BAR


def continue_file(options: ContinueOptions, shared: RollOptions) -> Path:
    """Add bars after the end of a MIDI file, and write both; its own notes are untouched.

    Raises:
        TatumFlowError: if a setting, the file, the model or the output does not fit.
    """
    check_outputs(options.source, [options.out])
    sampling = shared.sampling
    performance = read_midi(options.source)
    check_length(options.source, performance.notes)
    model = shared.opened()
    conditions = shared.conditions(model)
    grid, beats = performance_grid(performance.notes, performance.tempo, options.grid, options.beats_per_bar)
    ended = float(max(grid.steps([note.onset for note in performance.notes]))) + 0.5
    start = max(-int(-ended // grid.steps_per_bar), 1) * grid.steps_per_bar
    count = options.bars * grid.steps_per_bar
    check_steps("bars", count)
    span = Span(grid, start, start + count, beats)
    with WorkProgress("continuing", count, "steps") as progress:
        (added,) = fill_span(
            model, performance.notes, span, conditions, sampling, shared.seed, progress=progress.show
        )
    write_both(options.out, performance.notes, added, performance.tempo)
    print(piano_roll(_last(performance.notes, span), added))
    print(f"written: {options.out} ({len(added)} notes in {options.bars} bars)")
    return options.out


def write_both(path: Path, own: Sequence[Note], filled: Sequence[Note], tempo: float | None) -> None:
    """Write the notes of a performance and those of the model as two tracks.

    Raises:
        MidiFileError: if the file cannot be written.
    """
    stated = min(max(tempo or DEFAULT_TEMPO, SLOWEST_TEMPO), FASTEST_TEMPO)
    write_midi(path, [MidiTrack("take", own), MidiTrack("filled", filled, channel=1)], stated)


def check_steps(name: str, steps: int) -> None:
    """Refuse a number of steps that is not sampled.

    Raises:
        SettingError: if it is no multiple of 4 from 4 to `MOST_STEPS`.
    """
    if not 4 <= steps <= MOST_STEPS or steps % 4:
        raise SettingError(f"{name}: {steps} steps are not a multiple of 4 from 4 to {MOST_STEPS}")


def check_outputs(source: Path, outputs: Sequence[Path]) -> None:
    """Refuse outputs that cannot be written, or are the file that is read.

    Raises:
        SettingError: if one of them is.
    """
    for path in outputs:
        check_output(path)
        if path.resolve() == source.resolve():
            raise SettingError(f"{path}: is the file that is read; give the output another name")


def _last(notes: Sequence[Note], span: Span) -> list[Note]:
    """Return the notes of the four bars before a span, for its picture."""
    since = span.grid.seconds(span.start - 4 * span.grid.steps_per_bar)
    return [note for note in notes if note.onset >= since]

"""`tatumflow play` and `generate`: the companion answers a MIDI file, or plays alone, on a virtual clock."""

import statistics
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.errors import DeviceError, MidiFileError, SettingError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.melodies.bundle import find_melody_models, melodies_path
from tatumflow.engine.melodies.melody import BEATS_PER_BAR
from tatumflow.engine.midi.midi_file import (
    MidiPerformance,
    MidiTrack,
    check_length,
    read_midi,
    write_midi,
)
from tatumflow.engine.midi.tempo_map import FASTEST_TEMPO, SLOWEST_TEMPO, TempoMap
from tatumflow.engine.offline import OfflineResult, answer_file, improvise
from tatumflow.live.band_tracks import band_tracks
from tatumflow.live.commands.progress import WorkProgress
from tatumflow.live.commands.tune import MINUTE, Length, check_band, length_of
from tatumflow.live.midi.synth import render, write_sound
from tatumflow.live.processes.session import offline_companion, open_bundle, open_melodies
from tatumflow.live.processes.session_time import TimeSpan, session_map
from tatumflow.live.settings import Settings, load_settings

FIRST_NOTE_LIMIT_MS: Final = 25.0
"""Target: milliseconds until the first note of an answer is planned, 99th percentile."""


@dataclass(frozen=True)
class PlayOptions:
    """What the command line gives.

    Attributes:
        source: MIDI file to answer; None to play alone.
        out: MIDI file to write.
        wav: WAV file to write, if any.
        json: File for the timing figures, if any.
        changes: Controls and settings in place of the user's, as `Settings.with_changes` names them.
        settings_file: Settings file instead of the user's own.
        seconds: How long to play alone; None for a minute.
        choruses: Whole choruses of the chart to play alone, in place of seconds; None for none.
        limit_notes: Most notes that the file to answer may have; None for any number.
    """

    source: Path | None
    out: Path
    wav: Path | None = None
    json: Path | None = None
    changes: Mapping[str, object] = field(default_factory=dict)
    settings_file: Path | None = None
    seconds: float | None = None
    choruses: int | None = None
    limit_notes: int | None = None


class TurnFigures(BaseModel):
    """One answer; times in seconds on the output file's clock.

    Attributes:
        call_end: When the phrase ended.
        turn: When the turn came.
        first_onset: Onset of the answer's first note, None without notes.
        notes: Notes in the answer.
        compute_ms: Computing from the turn to its first planned note, as if nothing had been planned ahead.
    """

    model_config = ConfigDict(frozen=True)

    call_end: float
    turn: float
    first_onset: float | None
    notes: int
    compute_ms: float | None


class PlayFigures(BaseModel):
    """What `--json` writes.

    Attributes:
        source: File answered; empty where the companion played alone.
        model: Model bundle.
        seed: Seed in force.
        turns: One entry per answer.
        first_note_ms_median: Median of the turns' `compute_ms`, None without answers.
        first_note_ms_p99: Their 99th percentile.
        first_note_ms_limit: Target of the 99th percentile.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    model: str
    seed: int
    turns: tuple[TurnFigures, ...]
    first_note_ms_median: float | None
    first_note_ms_p99: float | None
    first_note_ms_limit: float = FIRST_NOTE_LIMIT_MS


@dataclass(frozen=True)
class Answer:
    """What was played: the file answered, if any, the notes of both, and the figures."""

    performance: MidiPerformance | None
    result: OfflineResult
    figures: PlayFigures
    settings: Settings = field(default_factory=Settings)

    @property
    def tracks(self) -> tuple[MidiTrack, ...]:
        """Return a track for each player that played."""
        companion = MidiTrack("TatumFlow", self.result.companion, channel=1)
        band = band_tracks(self.result.band, self.settings)
        if self.performance is None:
            return (companion, *band)
        return (MidiTrack("You", self.result.human, channel=0), companion, *band)

    @property
    def tempo(self) -> float | None:
        """Return the file's tempo in beats per minute, within what can be written; None if it has none."""
        tempo = None if self.performance is None else self.performance.tempo
        return None if tempo is None else min(max(tempo, SLOWEST_TEMPO), FASTEST_TEMPO)

    @property
    def beats(self) -> TempoMap | None:
        """Return the beats and chords of what was improvised in time or over a chart; None without."""
        if self.result.time is None:
            return None
        return session_map([TimeSpan(0.0, self.result.time)], 0.0, self.seconds)

    def summary(self) -> str:
        """Return what was made, in one or two lines."""
        text = f"{_counted(len(self.result.companion), 'note')} by {self.figures.model}"
        if self.performance is not None:
            text = f"{_counted(len(self.figures.turns), 'turn')} answered with {text}"
        band = sum(len(notes) for notes in self.result.band.values())
        if band:
            text += f", {_counted(band, 'note')} by the band"
        if self.performance is not None and self.performance.dropped:
            text += f"\n{_counted(self.performance.dropped, 'note')} outside the piano's range left out"
        return text

    @property
    def seconds(self) -> float:
        """Return the length of the music, to the end of its last note."""
        return max((note.offset for track in self.tracks for note in track.notes), default=0.0)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


def answer(
    source: Path | None,
    settings: Settings,
    length: Length = MINUTE,
    limit_notes: int | None = None,
) -> Answer:
    """Answer a MIDI file, or play alone for a length; shows on standard error how far it is.

    As in a jam, the mode *morph* plays as *answer* without a model of melodies.

    Raises:
        MidiFileError: if the file cannot be read, has more than `limit_notes` notes, or lasts longer than two
            hours.
        BundleError: if the model is missing or damaged, or in the mode *morph* that of melodies damaged.
        SettingError: if the model has no such style.
    """
    performance = None if source is None else read_midi(source)
    if source is not None and performance is not None:
        _check_size(source, performance, limit_notes)
    bundle = open_bundle(settings.model)
    melodies = open_melodies() if settings.controls.mode == "morph" and find_melody_models() else None
    make = offline_companion(bundle, settings.controls, melodies)
    if performance is None:
        with WorkProgress("improvising", length.seconds, "seconds") as progress:
            result = improvise(make, length.seconds, progress.show, form=length.form)
    else:
        with WorkProgress("answering", len(performance.notes), "notes") as progress:
            result = answer_file(performance.notes, make, progress=progress.show)
    computed = [turn.compute_ms for turn in result.turns if turn.compute_ms is not None]
    figures = PlayFigures(
        source="" if source is None else source.name,
        model=bundle.name,
        seed=settings.controls.seed,
        turns=tuple(
            TurnFigures(
                call_end=turn.call_end,
                turn=turn.turn,
                first_onset=turn.first_onset,
                notes=turn.notes,
                compute_ms=turn.compute_ms,
            )
            for turn in result.turns
        ),
        first_note_ms_median=statistics.median(computed) if computed else None,
        first_note_ms_p99=float(np.percentile(computed, 99)) if computed else None,
    )
    return Answer(performance, result, figures, settings)


def play(options: PlayOptions) -> None:
    """Answer a MIDI file, or play alone, and write what was played; checks everything before it writes.

    Raises:
        TatumFlowError: if a setting, the input, the model or an output does not fit.
    """
    settings = load_settings(options.settings_file).with_changes(options.changes)
    _check_mode(options, settings.controls)
    check_band(options.changes, settings.controls)
    length = length_of(settings.controls, options.seconds, options.choruses, alone=options.source is None)
    outputs = [path for path in (options.out, options.wav, options.json) if path is not None]
    _check_outputs(options.source, outputs)
    answered = answer(options.source, settings, length, options.limit_notes)
    sound = None if options.wav is None else render(answered.tracks, settings.synth)
    written: list[Path] = []
    try:
        if options.wav is not None and sound is not None:
            write_sound(options.wav, sound)
            written.append(options.wav)
        if options.json is not None:
            _write_figures(options.json, answered.figures)
            written.append(options.json)
        write_midi(options.out, answered.tracks, answered.beats or answered.tempo or settings.controls.tempo)
    except Exception:
        for path in written:
            with suppress(OSError):
                path.unlink()
        raise
    print(answered.summary())
    for path in outputs:
        length = "" if path == options.json else f" ({answered.seconds:.1f} s)"
        print(f"written: {path}{length}")


def _check_mode(options: PlayOptions, controls: Controls) -> None:
    """Refuse a mode without what it starts from or plays with."""
    if options.source is None and controls.mode != "improvise":
        raise SettingError(
            f"mode {controls.mode} starts from a phrase; give a MIDI file, or --mode improvise to play alone"
        )
    if controls.mode == "reharmonize" and not controls.chords:
        raise SettingError(
            "mode reharmonize needs chords; give `tatumflow generate` a chart, such as --chords 'Dm7 | G7'"
        )
    if controls.mode == "morph":
        # Where there is none, its error says where they are looked for.
        melodies_path("")
        metre = chart_named(controls.chords).beats_per_bar if controls.chords else BEATS_PER_BAR
        if metre != BEATS_PER_BAR:
            raise SettingError(f"mode morph plays in 4/4, and the chart is in {metre}/4; give another one")


def _check_size(source: Path, performance: MidiPerformance, limit_notes: int | None) -> None:
    notes = performance.notes
    check_length(source, notes)
    if limit_notes is not None and len(notes) > limit_notes:
        raise MidiFileError(
            f"{source.name}: has {len(notes)} notes, more than {limit_notes}, and answering them takes long; "
            f"give --limit-notes {len(notes)} to do it all the same"
        )


def _check_outputs(source: Path | None, outputs: Sequence[Path]) -> None:
    for index, path in enumerate(outputs):
        check_output(path)
        if source is not None and path.resolve() == source.resolve():
            raise SettingError(f"{path}: is the file to answer; give the output another name")
        if path.resolve() in (other.resolve() for other in outputs[:index]):
            raise SettingError(f"{path}: is given for two outputs; give each its own name")


def _write_figures(path: Path, figures: PlayFigures) -> None:
    try:
        write_whole(path, figures.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise DeviceError(f"{path}: cannot be written ({error.strerror}); check folder and disk") from None

"""Commands into the engine and snapshots out of it, all that a screen exchanges with it."""

from dataclasses import dataclass, field
from typing import Literal

from tatumflow.engine.controls import Controls
from tatumflow.engine.midi.notes import Role


@dataclass(frozen=True, slots=True)
class SetControl:
    """Set one control by name; an invalid value is refused with a `Notice`."""

    name: str
    value: str | float | int


@dataclass(frozen=True, slots=True)
class PlayKey:
    """A note from the computer keyboard. It has a fixed length, since a terminal sends no key-up."""

    pitch: int
    velocity: int = 80
    duration: float = 0.25


@dataclass(frozen=True, slots=True)
class Panic:
    """Silence everything now: offs of all sounding notes, sustain up, all notes off."""


@dataclass(frozen=True, slots=True)
class TakeTurn:
    """Let the companion play now, without waiting for the phrase to end.

    Attributes:
        until: Seconds at which the turn ends, with the end of a phrase, and the band with it; None for as
            long as the mode plays.
    """

    until: float | None = None


@dataclass(frozen=True, slots=True)
class YieldTurn:
    """Stop the companion; it listens."""


@dataclass(frozen=True, slots=True)
class PassTurn:
    """Pass the turn to the companion, or take it back while it plays."""


@dataclass(frozen=True, slots=True)
class TapTempo:
    """A tap on the beat at `time`, in seconds of the monotonic clock of this machine."""

    time: float


@dataclass(frozen=True, slots=True)
class BeginBars:
    """Count in and begin with the first bar; refused under an external clock."""


@dataclass(frozen=True, slots=True)
class EndTune:
    """End the tune with the chorus in progress, the band on a last chord; `BeginBars` begins it again."""


@dataclass(frozen=True, slots=True)
class StopBars:
    """Stop companion, band and clicks until `BeginBars`; refused under an external clock."""


@dataclass(frozen=True, slots=True)
class GoToBar:
    """Go on from another bar of the chart with the next bar line; while stopped, begin there.

    Attributes:
        bar: Bar of `tune_of(controls).chart`, counted from 1; the chart is the loop where there is one.
    """

    bar: int


@dataclass(frozen=True, slots=True)
class GoToSection:
    """Go on from another section of the chart with the next bar line; while stopped, begin there.

    Attributes:
        steps: Sections forward from the one in progress; 0 plays that one again, -1 the one before.
    """

    steps: int


@dataclass(frozen=True, slots=True)
class ConnectPorts:
    """Use these MIDI ports by name; None leaves a side as it is, the empty string disconnects it."""

    input: str | None = None
    output: str | None = None


@dataclass(frozen=True, slots=True)
class LearnController:
    """Assign the next MIDI controller that moves to this control or action; empty cancels."""

    target: str


@dataclass(frozen=True, slots=True)
class ForgetController:
    """Remove the MIDI controller of this control or action."""

    target: str


@dataclass(frozen=True, slots=True)
class UseModel:
    """Load a model bundle, by name or folder, and use it from the next turn on."""

    model: str


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Silence everything, save the recording, close the ports and end the process."""


CompanionCommand = (
    SetControl
    | Panic
    | TakeTurn
    | YieldTurn
    | PassTurn
    | PlayKey
    | TapTempo
    | BeginBars
    | StopBars
    | GoToBar
    | GoToSection
    | EndTune
)
"""Commands that the companion carries out; the others are those of the engine around it."""

Command = CompanionCommand | ConnectPorts | LearnController | ForgetController | UseModel | Shutdown

Turn = Literal["listening", "thinking", "playing"]


@dataclass(frozen=True, slots=True)
class RollNote:
    """A note of the roll; `duration` is None while it sounds, a `planned` note can still be withdrawn."""

    role: Role
    onset: float
    duration: float | None
    pitch: int
    velocity: int
    planned: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """Timing figures of the engine.

    Attributes:
        send_lateness_p99_ms: Delay of note-ons after their due time, 99th percentile of the last 1,000.
        note_cost_p50_ms: Computing time of a sampled note, median of the last 1,000.
        first_note_ms: Time from the last turn to its first planned note; None before the first turn.
        late_notes: Notes skipped because they were too late.
        model_faults: Notes and conditions skipped because the model's output was not finite.
    """

    send_lateness_p99_ms: float = 0.0
    note_cost_p50_ms: float = 0.0
    first_note_ms: float | None = None
    late_notes: int = 0
    model_faults: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """Bar, beat and chord at present.

    Attributes:
        bar: Counted from 1; 0 and less during the count-in.
        beat: Of the bar, counted from 1.
        beats_per_bar: Beats of a bar.
        tempo: Beats per minute, rounded to 0.1.
        turn_bars: Bars of each turn; 0 where turns are free.
        chord: Symbol of the chord at present; empty without one.
        next_chord: Symbol of the next chord; empty without one.
        chart_bar: Bar of `tune_of(controls).chart` (see `engine/tempo/tune.py`), from 0; None without a chart
            and during the count-in.
        chorus: Chorus of the chart, or round of the loop, counted from 1; 0 where `chart_bar` is None.
        stopped: Whether the bars were stopped, or the tune has ended.
    """

    bar: int
    beat: int
    beats_per_bar: int
    tempo: float
    turn_bars: int = 0
    chord: str = ""
    next_chord: str = ""
    chart_bar: int | None = None
    chorus: int = 0
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class HeardBeat:
    """The beat of the user's playing.

    Attributes:
        confidence: The tracker's confidence that it has the beat, 0 to 1.
        tempo: Beats per minute of the beat that is followed, rounded to 0.1; None while none is.
    """

    confidence: float
    tempo: float | None


@dataclass(frozen=True, slots=True)
class HeardChord:
    """The chord of the user's playing.

    Attributes:
        chord: Its symbol; empty where it is unsure.
        confidence: Probability of its root and third, 0 to 1.
    """

    chord: str
    confidence: float


@dataclass(frozen=True, slots=True)
class PortStatus:
    """A MIDI port: its name, whether it is connected, and when it last carried a message (seconds)."""

    name: str
    connected: bool
    last_activity: float | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One line for the user: a refused setting, a lost port, a full disk."""

    time: float
    text: str
    severity: Literal["information", "warning", "error"] = "information"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a session at one moment, sent to the screen at most 30 times a second.

    Attributes:
        time: Seconds on the system clock.
        turn: Whose turn it is.
        controls: Every control as the engine uses it.
        notes: Notes of both players in the last 8 s, and planned ones, by onset.
        held: Roles and pitches now sounding.
        health: Timing figures.
        inputs: MIDI inputs.
        outputs: MIDI outputs, the built-in synthesizer included.
        model: Name of the model bundle.
        styles: Slugs of the model's styles.
        position: Bar, beat and chord; None in free time without a chart.
        heard: The beat of the user's playing; None where the clock is not `listen`.
        heard_chord: The chord of the user's playing; None where the control `hear_chords` is off or a chart
            is set.
        heard_chart: The loop of the chords that the user played, as text; empty where there is no such loop.
        recording: File the session is recorded to; empty if none.
        controllers: Controls and actions on MIDI controllers, and the controller number of each.
        learning: Control or action that the next controller is assigned to; empty for none.
        notices: New lines for the user.
    """

    time: float
    turn: Turn
    controls: Controls
    notes: tuple[RollNote, ...] = ()
    held: tuple[tuple[Role, int], ...] = ()
    health: Health = field(default_factory=Health)
    inputs: tuple[PortStatus, ...] = ()
    outputs: tuple[PortStatus, ...] = ()
    model: str = ""
    styles: tuple[str, ...] = ()
    position: Position | None = None
    heard: HeardBeat | None = None
    heard_chord: HeardChord | None = None
    heard_chart: str = ""
    recording: str = ""
    controllers: tuple[tuple[str, int], ...] = ()
    learning: str = ""
    notices: tuple[Notice, ...] = ()

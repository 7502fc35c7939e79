"""What the player steers: every live control with its range, checked where it enters."""

from dataclasses import Field, dataclass, field, fields, replace
from functools import lru_cache
from math import isfinite, nan
from typing import Any, Final, Literal, get_args

from tatumflow.engine.errors import ChordError, SettingError
from tatumflow.engine.harmony.chart import Chart, find_chart
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST

ModeName = Literal["answer", "continue", "improvise", "restyle", "reharmonize"]
MODES: Final[tuple[ModeName, ...]] = get_args(ModeName)

ClockSource = Literal["internal", "midi", "link", "listen"]
CLOCKS: Final[tuple[ClockSource, ...]] = get_args(ClockSource)


@lru_cache(maxsize=32)
def chart_named(source: str) -> Chart:
    """Return the chart that the control `chords` means; see `find_chart`.

    The text alone decides, so a chart in force is not parsed again when another control changes.
    """
    return find_chart(source)


def _number(default: float, low: float, high: float, unit: str = "") -> Any:  # noqa: ANN401
    return field(default=default, metadata={"low": low, "high": high, "unit": unit})


@dataclass(frozen=True, slots=True)
class Controls:
    """The state of every live control. Numbers are checked against their range on construction.

    Attributes:
        mode: What the companion does with a phrase.
        style: Slug of the player to sound like; empty for no particular one.
        style_b: Slug of a second player to blend with; empty for none.
        style_blend: Share of the second player.
        style_strength: Guidance towards the style: 0 plays in none, 1 as trained, more makes it plainer.
        surprise: How far from the phrase just played the next one is drawn: 0 follows it, 1 leaves it.
        chords: Chord chart: its text, or the name of a built-in one; empty for none. Files are read where the
            user names them, into text.
        clock: Who gives the beat: our own clock, MIDI clock at an input, Ableton Link, or the player's own
            playing as long as it keeps time.
        tempo: Beats per minute of our own clock, and of a chart in free time.
        trade_bars: Bars of each turn when turns are traded, 1 to 8; 0 for turns that are free.
        count_in: Bars that our own clock counts before the first turn that is traded.
        metronome: Volume of the clicks; 0 for none.
        clock_out: 1 sends MIDI clock to the outputs.
        swing: How far straight off-beats are delayed: 0 leaves them, 1 makes them triplets, 1.5 dotted.
        grid_pull: Share of the way to the nearest sixteenth or triplet that onsets are drawn: 0 leaves them.
        pace: Restyled and reharmonized phrases are this much faster, in octaves: +1 twice as fast.
        dynamics: And this much louder, in MIDI velocity.
        phrases: Length of a continuation, in phrases as long as the one played; 0 goes on until the player
            plays, for 30 s at most.
        temperature: Sampling temperature; 0 takes the likeliest value.
        top_p: Nucleus: the smallest set of pitches with at least this probability is kept.
        top_k: Number of likeliest pitches kept; 0 keeps all.
        min_p: Pitches below this share of the likeliest one's probability are dropped.
        repetition: Penalty in nats on pitches heard within the last few notes.
        density: Notes per time against the model's own wish, in octaves: +1 asks for twice as many.
        register_low: Lowest MIDI pitch the companion plays.
        register_high: Highest MIDI pitch the companion plays.
        max_polyphony: Most notes the companion holds at once.
        velocity_follow: 0 leaves the model's velocities, 1 moves their mean to the human's, with `dynamics`
            added where phrases are restyled or reharmonized.
        pitch_classes: Twelve-bit mask of allowed pitch classes, bit 0 is C; 0xFFF allows all.
        lookahead: Seconds before sounding at which a planned note can no longer be withdrawn.
        seed: Seed of the sampling generator.
    """

    mode: ModeName = "answer"
    style: str = "art-tatum"
    style_b: str = ""
    style_blend: float = _number(0.0, 0.0, 1.0)
    style_strength: float = _number(1.5, 0.0, 3.0)
    surprise: float = _number(0.5, 0.0, 1.0)
    chords: str = ""
    clock: ClockSource = "internal"
    tempo: float = _number(120.0, 20.0, 400.0, "bpm")
    trade_bars: int = _number(0, 0, 8, "bars")
    count_in: int = _number(1, 0, 4, "bars")
    metronome: float = _number(0.0, 0.0, 1.0)
    clock_out: int = _number(0, 0, 1)
    swing: float = _number(0.0, 0.0, 1.5)
    grid_pull: float = _number(0.0, 0.0, 1.0)
    pace: float = _number(0.0, -1.0, 1.0, "octaves")
    dynamics: int = _number(0, -64, 64)
    phrases: int = _number(2, 0, 8, "phrases")
    temperature: float = _number(1.0, 0.0, 2.0)
    top_p: float = _number(0.9, 0.01, 1.0)
    top_k: int = _number(0, 0, 200)
    min_p: float = _number(0.05, 0.0, 1.0)
    repetition: float = _number(0.0, 0.0, 5.0, "nats")
    density: float = _number(0.0, -2.0, 2.0, "octaves")
    register_low: int = _number(PITCH_LOWEST, PITCH_LOWEST, PITCH_HIGHEST)
    register_high: int = _number(PITCH_HIGHEST, PITCH_LOWEST, PITCH_HIGHEST)
    max_polyphony: int = _number(10, 1, 16, "notes")
    velocity_follow: float = _number(0.5, 0.0, 1.0)
    pitch_classes: int = _number(0xFFF, 1, 0xFFF)
    lookahead: float = _number(0.08, 0.0, 1.0, "s")
    seed: int = _number(0, 0, 2**32 - 1)

    def __post_init__(self) -> None:
        for name, choices in (("mode", MODES), ("clock", CLOCKS)):
            if getattr(self, name) not in choices:
                raise SettingError(f"{name}: {getattr(self, name)!r} is not one of {', '.join(choices)}")
        for control in fields(self):
            if "low" not in control.metadata:
                continue
            value, low, high = getattr(self, control.name), control.metadata["low"], control.metadata["high"]
            if not low <= value <= high:
                raise SettingError(f"{control.name}: {value} is outside the allowed range {low} to {high}")
        if self.chords:
            try:
                chart_named(self.chords)
            except ChordError as error:
                raise SettingError(f"chords: {error}") from None
        if self.register_low > self.register_high:
            raise SettingError(
                f"register_low: {self.register_low} lies above register_high {self.register_high}"
            )

    def in_free_time(self) -> "Controls":
        """Return these controls with no clock to keep to and none to give: for what has no outside."""
        return replace(self, clock="internal", trade_bars=0, metronome=0.0, clock_out=0)

    def changed(self, name: str, value: object) -> "Controls":
        """Return these controls with one of them set to `value`, converted to its type.

        Raises:
            SettingError: if no control has that name, or the value does not fit it.
        """
        known = {control.name: control for control in fields(self)}
        if name not in known:
            raise SettingError(f"{name!r} is not a control; the controls are {', '.join(known)}")
        return replace(self, **{name: _converted(known[name], value)})


def _converted(control: Field[Any], value: object) -> str | float | int:
    """Return a value as the control's type; a number may be given as text, a switch as true or false."""
    if isinstance(control.default, str):
        if isinstance(value, str):
            return value
        raise SettingError(f"{control.name}: {value!r} is not a word or text; put it in quotation marks")
    whole = isinstance(control.default, int)
    if isinstance(value, bool):
        if whole and (control.metadata["low"], control.metadata["high"]) == (0, 1):
            return int(value)
        raise SettingError(f"{control.name}: {value!r} is not a number")
    if whole and isinstance(value, int):
        return value
    try:
        number = float(value)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError, OverflowError):
        number = nan
    if not isfinite(number):
        raise SettingError(f"{control.name}: {value!r} is not a number")
    if whole and not number.is_integer():
        raise SettingError(f"{control.name}: {value!r} is not a whole number")
    return int(number) if whole else number

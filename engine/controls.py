"""The live controls: each declared once, with its range and its words, and checked where it enters."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, get_args

from tatumflow.engine.band.styles import AUTO, STYLE_NAMES, StyleName
from tatumflow.engine.control_specs import ControlSpec, declared, number, text
from tatumflow.engine.errors import ChordError, MidiFileError, SettingError
from tatumflow.engine.harmony.key_steps import KEY_STEPS, KeyStep
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST

if TYPE_CHECKING:
    from tatumflow.engine.harmony.chart import Chart
    from tatumflow.engine.midi.head_file import Head

ModeName = Literal["answer", "continue", "improvise", "restyle", "reharmonize", "morph"]
MODES: Final[tuple[ModeName, ...]] = get_args(ModeName)

ClockSource = Literal["internal", "midi", "link", "listen"]
CLOCKS: Final[tuple[ClockSource, ...]] = get_args(ClockSource)


LOOP_HEARD: Final = 3
"""Value of `hear_chords` at which the chords of the last bars are the chart."""


@lru_cache(maxsize=32)
def chart_named(source: str) -> "Chart":
    """Return the chart that the control `chords` means; see `find_chart`.

    The text alone decides, so a chart in force is not parsed again when another control changes.
    """
    # Only here, so that the command line lists the controls in its help without loading NumPy.
    from tatumflow.engine.harmony.chart import find_chart

    return find_chart(source)


_HEADS: Final[dict[str, "Head"]] = {}


def head_named(path: str) -> "Head":
    """Return the melody in the file of the control `head`, as it was when the control was last set to it.

    Raises:
        MidiFileError: if it was not read before, and cannot be read or has no melody.
    """
    return _HEADS[path] if path in _HEADS else _read_head(path)


def _read_head(path: str) -> "Head":
    from tatumflow.engine.midi.head_file import read_head

    # What was read stays if that fails: the melody in use plays on without its file.
    _HEADS[path] = head = read_head(Path(path))
    return head


@dataclass(frozen=True, slots=True)
class Controls:
    """The state of every live control, checked on construction; `CONTROL_SPECS` explains each of them.

    The order is that of the rows on the screen, group by group.
    """

    mode: ModeName = text(  # noqa: RUF009
        "answer", "Mode", "Player", "What the companion makes of the phrase that you played.", MODES
    )
    style: str = text(
        "art-tatum",
        "Style",
        "Player",
        "Player to sound like, such as art-tatum; empty for no particular one.",
    )
    style_strength: float = number(
        1.5,
        0.0,
        3.0,
        "Strength",
        "Player",
        "How plainly the style shows: 0 not at all, 1 as it was trained, more exaggerates it.",
    )
    style_b: str = text(
        "", "Blend with", "Player", "Second player, whose style is blended in; empty for none."
    )
    style_blend: float = number(
        0.0,
        0.0,
        1.0,
        "Blend",
        "Player",
        "Share of the second player: 0 plays like the first alone, 1 like the second.",
    )
    surprise: float = number(
        0.5,
        0.0,
        1.0,
        "Surprise",
        "Player",
        "How far the next phrase is drawn from yours: 0 follows it, 1 leaves it.",
    )
    morph: float = number(
        0.5,
        0.0,
        1.0,
        "Morph",
        "Player",
        "In the mode morph: 0 plays your phrase as the model of melodies has it, 1 the companion's last one.",
    )
    guidance: float = number(
        1.0,
        0.0,
        2.0,
        "Guidance",
        "Player",
        "Weight of the idea drawn for the next phrase: 0 goes by the music so far alone, more exaggerates.",
    )
    chords: str = text(
        "",
        "Chords",
        "Player",
        "Chord chart, such as 'Dm7 | G7 | Cmaj7' or 'blues in F', a tune of your book, or a file; "
        "empty for none.",
    )
    hear_chords: int = number(
        0,
        0,
        LOOP_HEARD,
        "Hear chords",
        "Player",
        "Hears the chords that you play without a chart: 0 is off, 1 shows them where they are sure, 2 also "
        "gives them to the model, 3 makes those of the last bars a loop that band and companion play over.",
        row=False,
    )
    heard_bars: int = number(
        4,
        1,
        16,
        "Heard bars",
        "Player",
        "Bars of the loop that is made of the chords you play; see `hear_chords`.",
        unit="bars",
        row=False,
    )
    tempo: float = number(
        120.0,
        20.0,
        400.0,
        "Tempo",
        "Player",
        "Tempo of the internal clock, and of a chart without a clock.",
        unit="bpm",
    )
    temperature: float = number(
        1.0,
        0.0,
        2.0,
        "Temperature",
        "Playing",
        "Randomness of the next note: 0 plays the likeliest, 1 as the model learned, more is bolder.",
    )
    takes: int = number(
        6,
        1,
        8,
        "Takes",
        "Playing",
        "How often the next notes are sampled; those most like a player's are played, with 1 the first.",
        unit="takes",
        row=False,
    )
    density: float = number(
        0.0,
        -2.0,
        2.0,
        "Density",
        "Playing",
        "How many notes the companion plays: +1 twice as many as the model would, -1 half as many.",
        unit="octaves",
    )
    velocity_follow: float = number(
        0.5,
        0.0,
        1.0,
        "Vel. follow",
        "Playing",
        "How closely the companion's loudness follows yours: 0 leaves its own, 1 plays as loud as you.",
    )
    max_polyphony: int = number(
        10,
        1,
        16,
        "Polyphony",
        "Playing",
        "Most notes that the companion holds at once; a player of single lines, such as a horn, holds one.",
        unit="notes",
    )
    register_low: int = number(
        PITCH_LOWEST,
        PITCH_LOWEST,
        PITCH_HIGHEST,
        "Lowest",
        "Playing",
        "Lowest note that the companion plays, as a MIDI pitch; 60 is middle C.",
        pitch=True,
    )
    register_high: int = number(
        PITCH_HIGHEST,
        PITCH_LOWEST,
        PITCH_HIGHEST,
        "Highest",
        "Playing",
        "Highest note that the companion plays, as a MIDI pitch; 60 is middle C.",
        pitch=True,
    )
    pitch_classes: int = number(
        0xFFF,
        1,
        0xFFF,
        "Pitch classes",
        "Playing",
        "Scale that the companion keeps to, as a sum: C is 1, C sharp 2, D 4, up to B, 2048; 4095 is all.",
        steerable=False,
        row=False,
    )
    pace: float = number(
        0.0,
        -1.0,
        1.0,
        "Pace",
        "Playing",
        "How much faster a restyled or reharmonized phrase is: +1 twice as fast, -1 half as fast.",
        unit="octaves",
        row=False,
    )
    dynamics: int = number(
        0,
        -64,
        64,
        "Dynamics",
        "Playing",
        "How much louder a restyled or reharmonized phrase is, in steps of MIDI velocity.",
        row=False,
    )
    clock: ClockSource = text(  # noqa: RUF009
        "internal",
        "Clock",
        "Time",
        "Source of the beat: the internal clock, MIDI clock, Ableton Link, or your own playing (listen).",
        CLOCKS,
    )
    trade_bars: int = number(
        0,
        0,
        8,
        "Trade bars",
        "Time",
        "Bars of each turn when you trade, such as 4 to trade fours; 0 leaves turns free.",
        unit="bars",
    )
    phrases: int = number(
        2,
        0,
        8,
        "Phrases",
        "Time",
        "Length of a continuation, in phrases as long as yours; 0 goes on until you play, for 30 s at most.",
        unit="phrases",
    )
    count_in: int = number(
        1,
        0,
        4,
        "Count-in",
        "Time",
        "Bars that the internal clock counts before the first traded turn.",
        unit="bars",
    )
    metronome: float = number(
        0.0, 0.0, 1.0, "Metronome", "Time", "Volume of the metronome's clicks: 0 is silent, 1 loudest."
    )
    clock_out: int = number(
        0,
        0,
        1,
        "Clock out",
        "Time",
        "Sends MIDI clock to the outputs, for a DAW or drum machine to follow: 0 is off, 1 is on.",
        row=False,
    )
    pocket: float = number(
        1.6,
        0.0,
        3.0,
        "Pocket",
        "Time",
        "How firmly the line sits on the beat: 0 is loose, 1 as it was trained, more locks it to the beat.",
    )
    swing: float = number(
        0.0,
        0.0,
        1.5,
        "Swing",
        "Time",
        "How late straight off-beats come: 0 leaves them, 1 makes them triplets, 1.5 dotted.",
    )
    grid_pull: float = number(
        0.0,
        0.0,
        1.0,
        "Grid pull",
        "Time",
        "How far notes move to the nearest sixteenth or triplet: 0 leaves their feel, 1 is on the grid.",
    )
    band: int = number(
        0,
        0,
        1,
        "Band",
        "Band",
        "Bass, comping and drums over the chart, under both players: 0 is off, 1 is on; without a chart it "
        "rests.",
    )
    band_style: StyleName = text(  # noqa: RUF009
        AUTO,
        "Band style",
        "Band",
        "Style of the band; auto goes by the chart, its metre and the tempo.",
        STYLE_NAMES,
    )
    bass_volume: float = number(
        1.0, 0.0, 1.5, "Bass", "Band", "Volume of the band's bass: 0 is silent, 1 as it plays by itself."
    )
    comping_volume: float = number(
        1.0, 0.0, 1.5, "Comping", "Band", "Volume of the band's chords: 0 is silent, 1 as it plays by itself."
    )
    drums_volume: float = number(
        1.0, 0.0, 1.5, "Drums", "Band", "Volume of the band's drums: 0 is silent, 1 as it plays by itself."
    )
    band_intro: int = number(
        0,
        0,
        8,
        "Intro",
        "Band",
        "Bars that the band plays before the form, the last ones of the chart.",
        unit="bars",
        row=False,
    )
    stop_time: int = number(
        0,
        0,
        12,
        "Stop time",
        "Band",
        "Bars at the beginning of each chorus in which the band strikes the first beat and rests.",
        unit="bars",
        row=False,
    )
    choruses: int = number(
        0,
        0,
        64,
        "Ends after",
        "Band",
        "Choruses of the chart after which the tune ends, the band on a last chord; 0 goes on for ever.",
        unit="choruses",
        row=False,
    )
    head: str = text(
        "",
        "Head",
        "Band",
        "MIDI file of the tune's melody, which the companion plays in the first chorus, and in the last one "
        "where there is one; empty for none.",
        steerable=False,
        row=False,
    )
    loop_from: int = number(
        1,
        1,
        512,
        "Loop from",
        "Practice",
        "First bar of the loop over the chart.",
        unit="bars",
    )
    loop_bars: int = number(
        0,
        0,
        64,
        "Loop bars",
        "Practice",
        "Bars of the chart that are played over and over; 0 plays all of it.",
        unit="bars",
    )
    key_step: KeyStep = text(  # noqa: RUF009
        "same",
        "Key step",
        "Practice",
        "How the key moves up with each chorus of the chart, or of the loop.",
        KEY_STEPS,
    )
    tempo_step: float = number(
        0.0,
        -20.0,
        20.0,
        "Tempo step",
        "Practice",
        "How much faster the internal clock gets with each chorus of the chart, or of the loop.",
        unit="bpm",
    )
    trade_choruses: int = number(
        0,
        0,
        4,
        "Choruses",
        "Practice",
        "Length of each turn when you trade over a chart, in choruses; 0 goes by Trade bars.",
        unit="choruses",
    )
    top_p: float = number(
        0.9,
        0.01,
        1.0,
        "Top-p",
        "Sampling",
        "Keeps the likeliest notes that together reach this probability; less is safer, 1 keeps all.",
    )
    top_k: int = number(
        0, 0, 200, "Top-k", "Sampling", "Keeps only this many of the likeliest notes; 0 keeps all."
    )
    min_p: float = number(
        0.05,
        0.0,
        1.0,
        "Min-p",
        "Sampling",
        "Leaves out notes whose probability is below this share of the likeliest one's; 0 keeps all.",
    )
    repetition: float = number(
        0.0,
        0.0,
        5.0,
        "No repeats",
        "Sampling",
        "How much less likely the last few pitches become: 0 leaves them as likely, 5 all but forbids them.",
        unit="nats",
    )
    lookahead: float = number(
        0.08,
        0.0,
        1.0,
        "Lookahead",
        "Sampling",
        "Time before it sounds from which a planned note can no longer change.",
        unit="s",
    )
    seed: int = number(
        0,
        0,
        2**32 - 1,
        "Seed",
        "Sampling",
        "Seed of the random generator: the same seed and the same phrase give the same notes.",
        row=False,
    )

    def __post_init__(self) -> None:
        for name, spec in CONTROL_SPECS.items():
            spec.check(getattr(self, name))
        if self.chords:
            try:
                chart_named(self.chords)
            except ChordError as error:
                raise SettingError(f"chords: {error}") from None
        if self.head:
            try:
                head_named(self.head)
            except MidiFileError as error:
                raise SettingError(f"head: {error}") from None
        if self.register_low > self.register_high:
            raise SettingError(
                f"register_low: {self.register_low} lies above register_high {self.register_high}"
            )

    @property
    def has_band(self) -> bool:
        """Whether the band plays: it is on, and there is a chart or a loop of heard chords."""
        return bool(self.band and (self.chords or self.hear_chords == LOOP_HEARD))

    @property
    def has_head(self) -> bool:
        """Whether there is a melody to play: a file is named, and there is a chart."""
        return bool(self.head and self.chords)

    @property
    def trades(self) -> bool:
        """Whether turns are of some bars each, or of some choruses."""
        return bool(self.trade_bars or (self.trade_choruses and self.chords))

    @property
    def keeps_time(self) -> bool:
        """Whether the beat goes on, whatever is played."""
        requested = (self.trades, self.metronome, self.clock_out, self.has_band, self.has_head)
        return self.clock != "internal" or any(requested)

    @property
    def loops_heard(self) -> bool:
        """Whether the chords of the last bars are the chart: that is requested, and there are bars."""
        return self.hear_chords == LOOP_HEARD and not self.chords and self.keeps_time

    @property
    def hears_chords(self) -> bool:
        """Whether the chords of the human's playing are heard: that is on, and there is no chart."""
        return bool(self.hear_chords and not self.chords)

    def in_free_time(self) -> "Controls":
        """Return these controls without a clock to follow or to send, or an end, as for playing into a file.

        The band stays, and keeps the time of the internal clock.
        """
        return replace(
            self,
            clock="internal",
            trade_bars=0,
            trade_choruses=0,
            metronome=0.0,
            clock_out=0,
            tempo_step=0.0,
            choruses=0,
            head="",
        )

    def changed(self, name: str, value: object) -> "Controls":
        """Return these controls with one of them set to `value`, converted to its type.

        Raises:
            SettingError: if no control has that name, or the value does not fit it.
        """
        return self.with_all({name: value})

    def with_all(self, values: Mapping[str, object]) -> "Controls":
        """Return these controls with some of them set together, each converted to its type.

        Raises:
            SettingError: if no control has one of the names, or a value does not fit.
        """
        if isinstance(head := values.get("head"), str) and head:
            try:
                # A file that is named again may have changed.
                _read_head(head)
            except MidiFileError as error:
                raise SettingError(f"head: {error}") from None
        return replace(self, **{name: spec_of(name).converted(value) for name, value in values.items()})


CONTROL_SPECS: Final[Mapping[str, ControlSpec]] = MappingProxyType(dict(declared(Controls)))
"""The declaration of each control, by name."""


def spec_of(name: str) -> ControlSpec:
    """Return the declaration of a control.

    Raises:
        SettingError: if no control has that name.
    """
    if name not in CONTROL_SPECS:
        raise SettingError(f"{name!r} is not a control; the controls are {', '.join(CONTROL_SPECS)}")
    return CONTROL_SPECS[name]

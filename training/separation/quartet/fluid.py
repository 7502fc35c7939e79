"""Offline rendering by FluidSynth: presets of a SoundFont, and a stem's notes as sound."""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import DeviceError
from tatumflow.engine.midi.notes import Note
from tatumflow.training.separation.quartet.instruments import DRUM_BANK, INSTRUMENTS, Instrument

if TYPE_CHECKING:
    import fluidsynth

RATE: Final = 44_100
TAIL_SECONDS: Final = 1.5

_CHANNEL: Final = 0
_DRUM_CHANNEL: Final = 9
_MODULATION: Final = 1
_REVERB_SEND: Final = 91
_CHORUS_SEND: Final = 93
_GAIN: Final = 0.5


@dataclass(frozen=True)
class Room:
    """FluidSynth's reverberation.

    Attributes:
        size: 0 to 1.
        damping: 0 to 1.
        width: 0 to 100.
        level: 0 (none) to 1.
    """

    size: float
    damping: float
    width: float
    level: float


@dataclass(frozen=True)
class Voice:
    """The sound of a stem.

    Attributes:
        soundfont: The file.
        instrument: One of its presets.
        reverb: Reverb send, 0 to 127.
        modulation: Controller 1, vibrato with most programs, 0 to 127.
    """

    soundfont: Path
    instrument: Instrument
    reverb: int
    modulation: int = 0


def presets_of(soundfont: Path) -> frozenset[tuple[int, int]]:
    """Return bank and program of the presets of `INSTRUMENTS` that a SoundFont has.

    Raises:
        DeviceError: if FluidSynth is missing or cannot read the file.
    """
    with _synth(soundfont) as (synth, font):
        presets = {(one.bank, one.program) for choices in INSTRUMENTS.values() for one in choices}
        return frozenset(place for place in presets if synth.sfpreset_name(font, *place))


def render(notes: Sequence[Note], voice: Voice, room: Room, seconds: float) -> NDArray[np.float32]:
    """Render notes.

    A note begins at the next of FluidSynth's blocks of 64 samples, at most 1.5 ms late.

    Args:
        notes: Notes by onset; seconds from the start.
        voice: Their sound.
        room: The reverb.
        seconds: End of the music; `TAIL_SECONDS` are added.

    Returns:
        Stereo samples at `RATE`, shape (n, 2); louder than 1 where the SoundFont is.

    Raises:
        DeviceError: if FluidSynth is missing, cannot read the SoundFont, or the preset is not in it.
    """
    one = voice.instrument
    channel = _DRUM_CHANNEL if one.bank == DRUM_BANK else _CHANNEL
    actions = sorted(
        action
        for note in notes
        for action in (
            (round(note.onset * RATE), 1, note.pitch, note.velocity),
            (round(note.offset * RATE), 0, note.pitch, 0),
        )
    )
    out = np.zeros((round((seconds + TAIL_SECONDS) * RATE), 2), dtype=np.float32)
    with _synth(voice.soundfont) as (synth, font):
        if synth.program_select(channel, font, one.bank, one.program) != 0:
            raise DeviceError(f"{voice.soundfont.name}: has no {one.name}; choose another SoundFont")
        synth.set_reverb(room.size, room.damping, room.width, room.level)
        for controller, value in (
            (_REVERB_SEND, voice.reverb),
            (_CHORUS_SEND, 0),
            (_MODULATION, voice.modulation),
        ):
            synth.cc(channel, controller, value)
        at = 0
        for frame, is_on, pitch, velocity in actions:
            frame = min(frame, len(out))
            _write(synth, out[at:frame])
            at = frame
            if is_on:
                synth.noteon(channel, pitch, velocity)
            else:
                synth.noteoff(channel, pitch)
        _write(synth, out[at:])
    return out


@contextmanager
def _synth(soundfont: Path) -> Iterator[tuple["fluidsynth.Synth", int]]:
    """Yield a new synthesizer, and the number of the SoundFont in it."""
    try:
        import fluidsynth
    except (ImportError, OSError):
        raise DeviceError(
            "no synthesizer: the FluidSynth library is missing; install it with "
            "`sudo apt install libfluidsynth3` or `brew install fluid-synth`"
        ) from None
    _quiet()
    # Samples of the selected presets alone are loaded: large SoundFonts take seconds otherwise.
    settings = {"synth.dynamic-sample-loading": 1, "synth.chorus.active": 0}
    synth = fluidsynth.Synth(gain=_GAIN, samplerate=RATE, channels=16, **settings)
    try:
        font = synth.sfload(str(soundfont)) if Path(soundfont).is_file() else -1
        if font == -1:
            raise DeviceError(
                f"SoundFont {soundfont}: FluidSynth cannot read it; choose an .sf2 or .sf3 file"
            )
        yield synth, font
    finally:
        synth.delete()


def _write(synth: "fluidsynth.Synth", out: NDArray[np.float32]) -> None:
    """Fill stereo samples, shape (n, 2), contiguous.

    pyfluidsynth has 16 bits only, with a dither that differs between processes.
    """
    if len(out):
        place = out.ctypes.data
        _write_float()(synth.synth, len(out), place, 0, 2, place, 1, 2)


@lru_cache(maxsize=1)
def _write_float() -> Any:  # noqa: ANN401
    import fluidsynth

    whole, pointer = ctypes.c_int, ctypes.c_void_p
    left = (("left", pointer, 1), ("left_at", whole, 1), ("left_step", whole, 1))
    right = (("right", pointer, 1), ("right_at", whole, 1), ("right_step", whole, 1))
    return fluidsynth.cfunc(
        "fluid_synth_write_float", whole, ("synth", pointer, 1), ("length", whole, 1), *left, *right
    )


@lru_cache(maxsize=1)
def _quiet() -> None:
    """Silence FluidSynth's log; our own messages report what matters."""
    import fluidsynth

    kind = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
    silent = kind(0)
    set_log = fluidsynth.cfunc(
        *("fluid_set_log_function", ctypes.c_void_p),
        *(("level", ctypes.c_int, 1), ("function", kind, 1), ("data", ctypes.c_void_p, 1)),
    )
    if set_log is not None:
        for level in range(5):
            set_log(level, silent, None)

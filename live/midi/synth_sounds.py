"""What each channel of the synthesizer sounds like: its SoundFont, program, level and reverb."""

import contextlib
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tatumflow.engine.errors import DeviceError
from tatumflow.engine.midi.midi_file import DRUM_CHANNEL
from tatumflow.live.midi.soundfonts import best_soundfont, drums_level
from tatumflow.live.quiet import quiet_stderr
from tatumflow.live.settings import SynthSettings

if TYPE_CHECKING:
    import fluidsynth

SAMPLE_RATE: Final = 44_100
CHANNELS: Final = 16
_INSTALL: Final = {
    "darwin": "install it with `brew install fluid-synth`",
    "win32": "install it with `choco install fluidsynth`",
}.get(
    sys.platform, "install it with `sudo apt install libfluidsynth3`, or your system's package of FluidSynth"
)
_DRUM_BANK: Final = 128
_BASSES: Final = range(32, 40)
"""Programs of General MIDI that are basses."""

_VOLUME: Final = 7
_FULL_VOLUME: Final = 100
_REVERB: Final = 91
_REVERB_SEND: Final = 40
_BASS_REVERB_SEND: Final = 12
"""Controllers, and what their channels are set to: FluidSynth starts without reverb. A bass has little."""


def soundfont_path(given: str, setting: str = "soundfont") -> Path:
    """Return the SoundFont to load: a file, or for an empty string the best of this machine.

    Args:
        given: Its file, or nothing.
        setting: Which of the synthesizer's settings names it.

    Raises:
        DeviceError: if it does not exist.
    """
    if given:
        path = Path(given).expanduser()
        if path.is_file():
            return path
        raise DeviceError(
            f"SoundFont {path}: no such file; check the name, or synth.{setting} in the settings"
        )
    default = best_soundfont()
    if default is None:
        raise DeviceError("no SoundFont: pretty_midi came without one; name an .sf2 file in synth.soundfont")
    return default


def part_soundfonts(settings: SynthSettings) -> dict[str, Path]:
    """Return the SoundFont of the players and of each part of the band that has another one.

    Raises:
        DeviceError: if one does not exist.
    """
    given = {
        "players": settings.soundfont,
        "bass": settings.bass_soundfont,
        "comping": settings.comping_soundfont,
        "drums": settings.drums_soundfont,
    }
    return {
        part: soundfont_path(font, "soundfont" if part == "players" else f"{part}_soundfont")
        for part, font in given.items()
        if font or part == "players"
    }


def with_soundfont(settings: SynthSettings, path: Path) -> SynthSettings:
    """Return settings in which every part has one SoundFont."""
    others = {f"{part}_soundfont": "" for part in ("bass", "comping", "drums")}
    return settings.model_copy(update={"soundfont": str(path), **others})


def load_synth(
    settings: SynthSettings, programs: Mapping[int, int] = MappingProxyType({})
) -> "fluidsynth.Synth":
    """Return a synthesizer; channels have these `programs`, the others the settings'.

    A drum kit that the SoundFont lacks is replaced by its standard kit. Every channel has some reverb, and
    the drums the level at which they are in balance with the piano.

    Raises:
        DeviceError: if the library or a SoundFont is missing, or FluidSynth cannot read one.
    """
    try:
        # Where CI is set it prints which library it found, among the lines that a headless jam prints.
        with contextlib.redirect_stdout(io.StringIO()):
            import fluidsynth
    except (ImportError, OSError):
        raise DeviceError(f"no synthesizer: the FluidSynth library is missing; {_INSTALL}") from None
    parts = part_soundfonts(settings)
    # FluidSynth has channels by the sixteen, of which the tenth are for drums.
    channels = (max(programs, default=0) // CHANNELS + 1) * CHANNELS
    # Compressed samples are unpacked as they are loaded: seconds for a whole SoundFont, so only those in use.
    packed = any(path.suffix.lower() == ".sf3" for path in parts.values())
    with quiet_stderr():
        synth = fluidsynth.Synth(
            gain=settings.gain,
            samplerate=SAMPLE_RATE,
            channels=channels,
            **{"synth.dynamic-sample-loading": int(packed)},
        )
        loaded = {path: synth.sfload(str(path)) for path in dict.fromkeys(parts.values())}
        for path, font in loaded.items():
            if font == -1:
                synth.delete()
                raise DeviceError(
                    f"SoundFont {path.name}: FluidSynth cannot read it; choose another .sf2 file"
                )
        for channel in range(channels):
            program = programs.get(channel, settings.program)
            drums = channel % CHANNELS == DRUM_CHANNEL
            part = "drums" if drums else _part_of(program, settings)
            path = parts.get(part, parts["players"])
            if not drums:
                synth.program_select(channel, loaded[path], 0, program)
            elif synth.program_select(channel, loaded[path], _DRUM_BANK, settings.drum_kit) == -1:
                synth.program_select(channel, loaded[path], _DRUM_BANK, 0)
            synth.cc(channel, _REVERB, _BASS_REVERB_SEND if part == "bass" else _REVERB_SEND)
            if drums:
                synth.cc(channel, _VOLUME, _volume(drums_level(path)))
    return synth


def _part_of(program: int, settings: SynthSettings) -> str:
    """Return the part that a program is of: basses, the band's chords, else the players."""
    if program == settings.bass_program or program in _BASSES:
        return "bass"
    return "comping" if program == settings.comping_program != settings.program else "players"


def _volume(decibels: float) -> int:
    """Return the volume controller for a level against full volume; FluidSynth squares it."""
    return min(max(round(_FULL_VOLUME * 10 ** (decibels / 40)), 0), 127)

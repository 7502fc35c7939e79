"""The built-in synthesizer, FluidSynth: live through its own audio driver, or into a WAV file."""

from collections.abc import Sequence
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from tatumflow.engine.errors import DeviceError
from tatumflow.engine.notes import Note
from tatumflow.live.midi_bytes import CONTROL_CHANGE, NOTE_OFF, NOTE_ON, Message
from tatumflow.live.quiet import quiet_stderr
from tatumflow.live.settings import SynthSettings
from tatumflow.live.whole_file import whole_file

if TYPE_CHECKING:
    import fluidsynth

SAMPLE_RATE: Final = 44_100
_CHANNELS: Final = 16
_INSTALL: Final = (
    "install it with `sudo apt install libfluidsynth3`, `brew install fluid-synth` "
    "or `choco install fluidsynth`"
)
_DRUM_CHANNEL: Final = 9
_DRUM_BANK: Final = 128
_TAIL_SECONDS: Final = 2.0
_PROGRAM_CHANGE: Final = 0xC0
_PITCH_BEND: Final = 0xE0


def default_soundfont() -> Path | None:
    """Return the SoundFont that comes with pretty_midi, None where it does not.

    Found without importing pretty_midi, which takes longer than starting a jam may.
    """
    if find_spec("pretty_midi") is None:
        return None
    path = Path(str(resources.files("pretty_midi"))) / "TimGM6mb.sf2"
    return path if path.is_file() else None


def soundfont_path(given: str) -> Path:
    """Return the SoundFont to load.

    Args:
        given: A file, or empty for the default.

    Raises:
        DeviceError: if it does not exist.
    """
    if given:
        path = Path(given).expanduser()
        if path.is_file():
            return path
        raise DeviceError(f"SoundFont {path}: no such file; check synth.soundfont in the settings")
    default = default_soundfont()
    if default is None:
        raise DeviceError("no SoundFont: pretty_midi came without one; name an .sf2 file in synth.soundfont")
    return default


def _load(settings: SynthSettings) -> "fluidsynth.Synth":
    try:
        import fluidsynth
    except (ImportError, OSError):
        raise DeviceError(f"no synthesizer: the FluidSynth library is missing; {_INSTALL}") from None
    path = soundfont_path(settings.soundfont)
    with quiet_stderr():
        synth = fluidsynth.Synth(gain=settings.gain, samplerate=SAMPLE_RATE, channels=_CHANNELS)
        font = synth.sfload(str(path))
        if font == -1:
            synth.delete()
            raise DeviceError(f"SoundFont {path.name}: FluidSynth cannot read it; choose another .sf2 file")
        for channel in range(_CHANNELS):
            synth.program_select(
                channel, font, 128 if channel == 9 else 0, 0 if channel == 9 else settings.program
            )
    return synth


class LiveSynth:
    """A synthesizer playing to the speakers; an `outputs.Sink`."""

    def __init__(self, settings: SynthSettings) -> None:
        """Load the SoundFont and start the audio driver.

        Raises:
            DeviceError: if the library, the SoundFont or an audio device is missing.
        """
        self.name = "built-in synth"
        self._synth = _load(settings)
        with quiet_stderr():
            # Two buffers of 64 frames are FluidSynth's low-latency choice; its default is 16 of them.
            self._synth.setting("audio.period-size", 64)
            self._synth.setting("audio.periods", 4)
            self._synth.setting("audio.realtime-prio", 60)
            started = _start_audio(self._synth, settings.driver)
        if not started:
            self._synth.delete()
            driver = f" ({settings.driver})" if settings.driver else ""
            raise DeviceError(
                f"no sound from the synthesizer: no audio device answers{driver}; connect one, "
                "choose synth.driver in the settings, or send the MIDI output to another program"
            )

    def send(self, message: Message) -> None:
        """Play a channel message."""
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        if kind == NOTE_ON and message[2]:
            self._synth.noteon(channel, message[1], message[2])
        elif kind in (NOTE_ON, NOTE_OFF):
            self._synth.noteoff(channel, message[1])
        elif kind == CONTROL_CHANGE:
            self._synth.cc(channel, message[1], message[2])
        elif kind == _PITCH_BEND:
            self._synth.pitch_bend(channel, (message[2] << 7 | message[1]) - 8192)
        elif kind == _PROGRAM_CHANGE:
            self._synth.program_change(channel, message[1])

    def close(self) -> None:
        """Stop the audio driver."""
        with quiet_stderr():
            self._synth.delete()


def _start_audio(synth: "fluidsynth.Synth", driver: str) -> bool:
    """Start the audio driver only: `Synth.start` would open a MIDI port of its own as well."""
    from fluidsynth import new_fluid_audio_driver

    if new_fluid_audio_driver is None:
        return False
    if driver:
        synth.setting("audio.driver", driver)
    synth.audio_driver = new_fluid_audio_driver(synth.settings, synth.synth)
    return bool(synth.audio_driver)


def render(parts: Sequence[Sequence[Note]], settings: SynthSettings) -> NDArray[np.int16]:
    """Play notes into memory, offline.

    Args:
        parts: Notes of each player; onsets in seconds from the start of the sound.
        settings: SoundFont, gain and program.

    Returns:
        Samples at 44.1 kHz, shape (n, 2); two seconds longer than the last note.

    Raises:
        DeviceError: if the library or the SoundFont is missing.
    """
    synth = _load(settings)
    channels = [channel for channel in range(_CHANNELS) if channel != _DRUM_CHANNEL]
    actions = sorted(
        action
        for channel, notes in zip(channels, parts, strict=False)
        for note in notes
        for action in (
            (round(note.onset * SAMPLE_RATE), 1, channel, note.pitch, note.velocity),
            (round(note.offset * SAMPLE_RATE), 0, channel, note.pitch, 0),
        )
    )
    end = (actions[-1][0] if actions else 0) + round(_TAIL_SECONDS * SAMPLE_RATE)
    blocks: list[NDArray[np.int16]] = []
    position = 0
    for frame, is_on, channel, pitch, velocity in actions:
        if frame > position:
            blocks.append(np.asarray(synth.get_samples(frame - position)))
            position = frame
        if is_on:
            synth.noteon(channel, pitch, velocity)
        else:
            synth.noteoff(channel, pitch)
    blocks.append(np.asarray(synth.get_samples(end - position)))
    synth.delete()
    return np.concatenate(blocks).reshape(-1, 2)


def write_wav(path: Path, samples: NDArray[np.int16]) -> None:
    """Write samples, shape (n, 2), as a 44.1 kHz WAV file, whole or not at all.

    Raises:
        DeviceError: if the file cannot be written.
    """
    try:
        with whole_file(path) as partial:
            soundfile.write(partial, samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    except (OSError, soundfile.SoundFileError) as error:
        raise DeviceError(f"{path}: cannot be written ({error}); check the folder and the disk") from None

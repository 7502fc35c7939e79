"""The built-in synthesizer, FluidSynth: live through its own audio driver, or into a sound file."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from tatumflow.engine.errors import DeviceError
from tatumflow.engine.files.whole_file import whole_file
from tatumflow.engine.midi.midi_file import DRUM_CHANNEL, MidiTrack
from tatumflow.live.midi.midi_bytes import CONTROL_CHANGE, NOTE_OFF, NOTE_ON, Message
from tatumflow.live.midi.synth_sounds import CHANNELS, SAMPLE_RATE, load_synth
from tatumflow.live.quiet import quiet_stderr
from tatumflow.live.settings import SynthSettings

if TYPE_CHECKING:
    import fluidsynth

TAIL_SECONDS: Final = 2.0
"""Seconds that a rendered file goes on after its last note."""
_PROGRAM_CHANGE: Final = 0xC0
_PITCH_BEND: Final = 0xE0


class LiveSynth:
    """A synthesizer playing to the speakers; an `outputs.Sink`."""

    def __init__(self, settings: SynthSettings, programs: Mapping[int, int] = MappingProxyType({})) -> None:
        """Load the SoundFont and start the audio driver.

        Args:
            settings: SoundFont, driver, gain, and the program of the other channels.
            programs: General MIDI programs by channel, 0 to 15.

        Raises:
            DeviceError: if the library, the SoundFont or an audio device is missing.
        """
        self.name = "built-in synth"
        self._synth = load_synth(settings, programs)
        with quiet_stderr():
            # Four buffers of 64 frames, 6 ms. FluidSynth's default is 16 of them, its least two; with two,
            # a delay of its thread of 1.5 ms is audible, and the model computes on the other cores.
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


def render(tracks: Sequence[MidiTrack], settings: SynthSettings) -> NDArray[np.int16]:
    """Play tracks into memory, offline.

    Args:
        tracks: Each is played on a channel of its own, so that two that hold the same key do not end each
            other's notes; drums are those on the drums' channel. Program 0, which a file without programs
            also has, stands for the program of the settings.
        settings: SoundFont, gain and program.

    Returns:
        Samples at 44.1 kHz, shape (n, 2); two seconds longer than the last note.

    Raises:
        DeviceError: if the library or the SoundFont is missing.
    """
    free = (channel for channel in itertools.count() if channel % CHANNELS != DRUM_CHANNEL)
    channels = [DRUM_CHANNEL if track.channel == DRUM_CHANNEL else next(free) for track in tracks]
    programs = {
        channel: track.program or settings.program for channel, track in zip(channels, tracks, strict=True)
    }
    synth = load_synth(settings, programs)
    actions = sorted(
        action
        for channel, track in zip(channels, tracks, strict=True)
        for note in track.notes
        for action in (
            (round(note.onset * SAMPLE_RATE), 1, channel, note.pitch, note.velocity),
            (round(note.offset * SAMPLE_RATE), 0, channel, note.pitch, 0),
        )
    )
    end = (actions[-1][0] if actions else 0) + round(TAIL_SECONDS * SAMPLE_RATE)
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


def write_sound(path: Path, samples: NDArray[np.int16]) -> None:
    """Write samples, shape (n, 2), as a 44.1 kHz file, whole or not at all: MP3 by the name, else WAV.

    Raises:
        DeviceError: if the file cannot be written.
    """
    format, subtype = ("MP3", "MPEG_LAYER_III") if path.suffix.casefold() == ".mp3" else ("WAV", "PCM_16")
    try:
        with whole_file(path) as partial:
            soundfile.write(partial, samples, SAMPLE_RATE, format=format, subtype=subtype)
    except (OSError, soundfile.SoundFileError) as error:
        raise DeviceError(f"{path}: cannot be written ({error}); check the folder and the disk") from None

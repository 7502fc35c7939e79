"""The band's parts as MIDI tracks, with the names, programs and channels of the settings."""

from collections.abc import Mapping, Sequence
from typing import Final

from tatumflow.engine.band.band_note import PARTS, Part
from tatumflow.engine.midi.midi_file import MidiTrack
from tatumflow.engine.midi.notes import Note
from tatumflow.live.settings import Settings

PART_NAMES: Final[Mapping[Part, str]] = {"bass": "Bass", "comping": "Comping", "drums": "Drums"}
"""Names of the tracks."""


def part_channels(settings: Settings) -> dict[Part, int]:
    """Return the MIDI channel of each part, 0 to 15."""
    ports = settings.ports
    return {
        "bass": ports.bass_channel - 1,
        "comping": ports.comping_channel - 1,
        "drums": ports.drums_channel - 1,
    }


def part_programs(settings: Settings) -> dict[Part, int]:
    """Return the General MIDI program of each part; that of the drums is a kit."""
    synth = settings.synth
    return {"bass": synth.bass_program, "comping": synth.comping_program, "drums": synth.drum_kit}


def band_tracks(notes: Mapping[Part, Sequence[Note]], settings: Settings) -> tuple[MidiTrack, ...]:
    """Return a track for each part that has notes; seconds from the start of the file."""
    channels, programs = part_channels(settings), part_programs(settings)
    return tuple(
        MidiTrack(PART_NAMES[part], notes[part], programs[part], channels[part])
        for part in PARTS
        if notes.get(part)
    )

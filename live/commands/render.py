"""`tatumflow render`: MIDI files as sound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import DeviceError, SettingError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.midi.midi_file import DRUM_CHANNEL, MidiTrack, check_length, read_tracks
from tatumflow.engine.tempo.band_file import accompany
from tatumflow.live.band_tracks import band_tracks
from tatumflow.live.commands.tune import check_band
from tatumflow.live.midi.synth import TAIL_SECONDS, render, write_sound
from tatumflow.live.midi.synth_sounds import SAMPLE_RATE, part_soundfonts, with_soundfont
from tatumflow.live.settings import Settings, load_settings

SUFFIXES: Final = (".wav", ".mp3")
_LONGEST_NAME: Final = 80


@dataclass(frozen=True)
class RenderOptions:
    """What the command line gives.

    Attributes:
        sources: MIDI files.
        out: A .wav or .mp3 file for one of them, or a folder for any number; None for stems alone.
        mp3: Whether what goes to a folder is MP3, not WAV.
        soundfont: SoundFont instead of the settings'.
        settings_file: Settings file instead of the user's own.
        changes: Settings in place of the user's, as `Settings.with_changes` names them.
        stems: Folder for a sound file of each track of the one MIDI file; made where it does not exist.
    """

    sources: Sequence[Path]
    out: Path | None
    mp3: bool = False
    soundfont: Path | None = None
    settings_file: Path | None = None
    changes: Mapping[str, object] = field(default_factory=dict)
    stems: Path | None = None


def render_files(options: RenderOptions) -> None:
    """Write every MIDI file as sound; reads all of them, and the SoundFont's name, before it writes anything.

    Raises:
        SettingError: if the output does not fit the files, or the band lacks a chart.
        MidiFileError: if a file cannot be read, or lasts longer than two hours.
        DeviceError: if FluidSynth or the SoundFont is missing, or a sound file or folder cannot be written.
    """
    settings = load_settings(options.settings_file).with_changes(options.changes)
    check_band(options.changes, settings.controls)
    synth = settings.synth
    if options.soundfont is not None:
        synth = with_soundfont(synth, options.soundfont)
    part_soundfonts(synth)
    outputs = _outputs(options)
    pieces = [_read(source) for source in options.sources]
    if settings.controls.band and settings.controls.chords:
        pieces = [_with_band(tracks, settings) for tracks in pieces]
    stems = [] if options.stems is None else _stems(options.stems, pieces[0], options.mp3)
    if options.stems is not None:
        _make_folder(options.stems)
    for tracks, path in [*zip(pieces, outputs, strict=False), *stems]:
        samples = render(tracks, synth)
        if stems:
            samples = _lasting(samples, pieces[0])
        write_sound(path, samples)
        print(f"written: {path} ({len(samples) / SAMPLE_RATE:.1f} s)")


def _stems(folder: Path, tracks: Sequence[MidiTrack], mp3: bool) -> list[tuple[tuple[MidiTrack, ...], Path]]:
    """Return a sound file for each track, called like it; a second one of a name gets a number."""
    stems: list[tuple[tuple[MidiTrack, ...], Path]] = []
    taken: set[str] = set()
    for track in tracks:
        name = "".join(letter if letter.isalnum() or letter in " -_." else "_" for letter in track.name)
        name = name.strip(" .")[:_LONGEST_NAME] or "Track"
        unique, number = name, 1
        while unique.casefold() in taken:
            number += 1
            unique = f"{name} {number}"
        taken.add(unique.casefold())
        path = folder / f"{unique}{SUFFIXES[mp3]}"
        check_output(path, makes_folder=True)
        stems.append(((track,), path))
    return stems


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeviceError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from None


def _lasting(samples: NDArray[np.int16], tracks: Sequence[MidiTrack]) -> NDArray[np.int16]:
    """Return the sound of a track with silence up to the end of all of them, so that stems line up."""
    end = max(note.offset for track in tracks for note in track.notes)
    missing = round(end * SAMPLE_RATE) + round(TAIL_SECONDS * SAMPLE_RATE) - len(samples)
    return np.pad(samples, ((0, max(missing, 0)), (0, 0)))


def _read(source: Path) -> tuple[MidiTrack, ...]:
    tracks = read_tracks(source)
    check_length(source, [note for track in tracks for note in track.notes])
    return tracks


def _with_band(tracks: tuple[MidiTrack, ...], settings: Settings) -> tuple[MidiTrack, ...]:
    """Return tracks with the band's under them, which hears all but their drums."""
    notes = [note for track in tracks if track.channel != DRUM_CHANNEL for note in track.notes]
    return (*tracks, *band_tracks(accompany(settings.controls, notes), settings))


def _outputs(options: RenderOptions) -> list[Path]:
    """Return a sound file for each MIDI file."""
    out = options.out
    if options.stems is not None and len(options.sources) > 1:
        raise SettingError("--stems takes one MIDI file; give each its own folder")
    if out is None:
        if options.stems is None:
            raise SettingError("nothing to write: give a sound file with -o, or a folder with --stems")
        return []
    if not out.is_dir():
        if len(options.sources) > 1:
            raise SettingError(f"{out}: is not a folder; name one that exists for several files")
        if out.suffix.casefold() not in SUFFIXES:
            kinds = " or ".join(SUFFIXES)
            raise SettingError(f"{out}: is no folder that exists, and its name does not end in {kinds}")
        check_output(out)
        return [out]
    outputs = [out / f"{source.stem}{SUFFIXES[options.mp3]}" for source in options.sources]
    for index, path in enumerate(outputs):
        check_output(path)
        if path in outputs[:index]:
            raise SettingError(f"{path}: would be written for two of the files; render one of them alone")
    return outputs

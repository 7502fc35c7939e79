"""`tatumflow sounds`: lists the SoundFonts, tries one, and chooses one."""

from pathlib import Path
from typing import Final

from tatumflow.engine.band.band_note import PARTS
from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import DeviceError, SettingError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.midi.midi_file import MidiTrack
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.tempo.band_file import accompany
from tatumflow.live.band_tracks import band_tracks
from tatumflow.live.midi.soundfonts import ADVICE, PREFERRED, SoundFont, folders, installed
from tatumflow.live.midi.synth import render, write_sound
from tatumflow.live.midi.synth_sounds import (
    SAMPLE_RATE,
    part_soundfonts,
    soundfont_path,
    with_soundfont,
)
from tatumflow.live.settings import Settings, load_settings, save_settings

_CHORDS: Final = "Dm7 | G7 | Cmaj7 | Cmaj7"
_LINE: Final = (62, 65, 69, 72, 71, 69, 67, 65, 64, 67, 71, 74, 72)
_TEMPO: Final = 140.0


def list_sounds(settings: Settings) -> None:
    """Print the SoundFonts of this machine, the one in use marked, and where others may be put.

    Raises:
        DeviceError: if the settings name a SoundFont that does not exist.
    """
    parts = {part: path.resolve() for part, path in part_soundfonts(settings.synth).items()}
    used = parts.pop("players")
    fonts = installed()
    for font in fonts:
        mark = "*" if font.path == used else " "
        print(f"{mark} {font.name}  ({font.path.stat().st_size / 1e6:.0f} MB)  {font.path}")
    if used not in [font.path for font in fonts]:
        print(f"* {used.stem}  {used}")
    for part, path in parts.items():
        print(f"the {part}: {path.stem}  {path}")
    if all(font.is_small or font.rank == len(PREFERRED) for font in fonts):
        print(f"a better one: {ADVICE}")
    print(f"others are found in: {', '.join(str(folder) for folder in folders() if folder.is_dir())}")


def found_sound(name: str) -> Path:
    """Return the SoundFont of a name, a part of one, or a file.

    Raises:
        DeviceError: if there is none.
    """
    if Path(name).expanduser().is_file():
        return Path(name).expanduser().resolve()
    matching = [font for font in installed() if name.casefold() in font.name.casefold()]
    exact = [font for font in matching if font.name.casefold() == name.casefold()]
    chosen: list[SoundFont] = exact or matching
    if not chosen:
        raise DeviceError(
            f"no SoundFont is called {name!r}; `tatumflow sounds` lists them, or name an .sf2 file"
        )
    return chosen[0].path


def try_sound(name: str, out: Path, settings: Settings) -> None:
    """Write what a SoundFont sounds like: a piano line with the band under it.

    Raises:
        DeviceError: if there is no such SoundFont, or FluidSynth or the folder fails.
    """
    check_output(out)
    font = found_sound(name)
    controls = Controls(chords=_CHORDS, tempo=_TEMPO, seed=settings.controls.seed)
    eighth = 30 / _TEMPO
    line = [Note(2 * eighth * count, 1.8 * eighth, pitch, 78) for count, pitch in enumerate(_LINE)]
    tracks = (MidiTrack("Piano", line), *band_tracks(accompany(controls, line), settings))
    samples = render(tracks, with_soundfont(settings.synth, font))
    write_sound(out, samples)
    print(f"written: {out} ({len(samples) / SAMPLE_RATE:.1f} s with {font.stem})")


def use_sound(name: str, settings_file: Path | None, part: str = "") -> None:
    """Write a SoundFont into the user's settings; "auto" takes the best found again.

    Args:
        name: As `found_sound` takes it.
        settings_file: Settings file instead of the user's own.
        part: Part of the band that alone uses it, for which "auto" takes that of the players; empty for all.

    Raises:
        DeviceError: if there is no such SoundFont.
        SettingError: if the part is none, or the settings cannot be written.
    """
    if part and part not in PARTS:
        raise SettingError(f"--part: {part!r} is not one of {', '.join(PARTS)}")
    chosen = "" if name == "auto" else str(found_sound(name))
    setting = f"synth.{part}_soundfont" if part else "synth.soundfont"
    settings = load_settings(settings_file).with_changes({setting: chosen})
    save_settings(settings, settings_file)
    path = soundfont_path(chosen or settings.synth.soundfont)
    print(f"in use from the next start{f' for the {part}' if part else ''}: {path}")

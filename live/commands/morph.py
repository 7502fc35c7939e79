"""`tatumflow morph`: melodies between two MIDI files, or one moved along attributes such as players."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import DeviceError, SettingError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.melodies.bundle import MelodyBundle, load_melodies, melodies_path
from tatumflow.engine.melodies.interpolation import LatentPath
from tatumflow.engine.melodies.morph import (
    MorphStep,
    Sampling,
    interpolate_melodies,
    mean_shares,
    move_melodies,
)
from tatumflow.engine.melodies.onnx_melody_model import OnnxMelodyModel
from tatumflow.engine.melodies.played import PlayedMelodies
from tatumflow.engine.midi.midi_file import write_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.live.commands.melody_files import (
    FILE,
    melody_track,
    notes_between,
    read_melodies,
    seconds_between,
    tempo_between,
)
from tatumflow.live.commands.morph_page import PageStep, PageWay, morph_page
from tatumflow.live.midi.synth import render, write_sound
from tatumflow.live.settings import SynthSettings, load_settings

PAGE: Final = "index.html"
SOUND: Final = ".mp3"
MOVED: Final = "moved"


@dataclass(frozen=True)
class MorphOptions:
    """What the command line gives.

    Attributes:
        sources: Two MIDI files to morph from one to the other, or one to move along attributes.
        out: Folder to write.
        steps: Places of the way, both ends included, 2 or more.
        added: Attributes to add.
        removed: Attributes to take away.
        strength: Greatest share of the attributes' vectors.
        tempo: "file", "estimate", or beats per minute.
        model: Model of melodies: a name or a folder; the first that is found when empty.
        sampling: How latents are decoded.
        sound: Whether to make sound files.
        settings_file: Settings file instead of the user's own.

    Raises:
        SettingError: if the files do not fit the attributes.
    """

    sources: Sequence[Path]
    out: Path
    steps: int = 9
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    strength: float = 1.0
    tempo: str = FILE
    model: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    sound: bool = True
    settings_file: Path | None = None

    def __post_init__(self) -> None:
        attributes = bool(self.added or self.removed)
        if len(self.sources) not in (1, 2):
            raise SettingError(f"{len(self.sources)} files are given; give one or two MIDI files")
        if len(self.sources) == 2 and attributes:
            raise SettingError("--from, --to and --add move one file; leave the second file or them out")
        if len(self.sources) == 1 and not attributes:
            raise SettingError(
                f"{self.sources[0]}: give a second MIDI file to morph to, or --to or --add with an attribute"
            )


@dataclass(frozen=True)
class _Way:
    """A way through the latent space, and what is played at its two ends."""

    name: str
    steps: Sequence[MorphStep]
    first: PlayedMelodies
    last: PlayedMelodies

    def place(self, step: MorphStep) -> float:
        """Return the share of the way between the performances: none along attributes."""
        return 0.0 if self.name == MOVED else step.share


def morph(options: MorphOptions) -> None:
    """Write each place of the way as MIDI, each way as one file, and a page to see and hear them.

    Raises:
        SettingError: if an attribute is unknown, a file has no beat, or the folder cannot be written.
        MidiFileError: if a file cannot be read or written.
        BundleError: if there is no such model, or it is damaged.
    """
    page = options.out / PAGE
    check_output(page, makes_folder=True)
    bundle = load_melodies(melodies_path(options.model))
    model = OnnxMelodyModel(bundle)
    played = [read_melodies(source, options.tempo, model.bars) for source in options.sources]
    ways = _ways(options, bundle, model, played)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"{options.out}: cannot be made ({error.strerror}); give another folder") from None
    sounds = _Sounds(load_settings(options.settings_file).synth, options.sound)
    shown = [_write_way(options, way, bundle, sounds) for way in ways]
    lines = list(_figures(options, bundle, ways))
    write_whole(page, morph_page(_title(options), shown, lines, sounds.silent))
    print("\n".join([*lines, f"written: {sum(len(way.steps) for way in ways)} melodies; open {page}"]))


def _ways(
    options: MorphOptions, bundle: MelodyBundle, model: OnnxMelodyModel, played: Sequence[PlayedMelodies]
) -> list[_Way]:
    first, last = played[0], played[-1]
    if len(played) == 1:
        strengths = [options.strength * i / (options.steps - 1) for i in range(options.steps)]
        steps = move_melodies(
            model, bundle, first.melodies, options.added, options.removed, strengths, options.sampling
        )
        return [_Way(MOVED, steps, first, last)]
    count = min(len(first.melodies), len(last.melodies))
    ends = first.melodies[:count], last.melodies[:count]
    return [
        _Way(
            path.value, interpolate_melodies(model, *ends, options.steps, path, options.sampling), first, last
        )
        for path in LatentPath
    ]


class _Sounds:
    """Sound files, as long as the synthesizer makes them."""

    def __init__(self, settings: SynthSettings, enabled: bool) -> None:
        self._settings = settings
        self.silent = "" if enabled else "no sound was requested."

    def write(self, path: Path, notes: Sequence[Note]) -> str:
        """Write notes as sound and return the file's name; empty where there is no synthesizer."""
        if self.silent or not notes:
            return ""
        try:
            write_sound(path, render([melody_track(notes)], self._settings))
        except DeviceError as error:
            self.silent = str(error)
            return ""
        return path.name


def _write_way(options: MorphOptions, way: _Way, bundle: MelodyBundle, sounds: _Sounds) -> PageWay:
    """Write the files of a way: one for each place, and one with all of them."""
    joined: list[Note] = []
    rows: list[PageStep] = []
    now = 0.0
    for number, step in enumerate(way.steps, 1):
        name, place = f"{way.name}-{number}", way.place(step)
        notes = notes_between(step.melodies, way.first, way.last, place)
        write_midi(
            options.out / f"{name}.mid", [melody_track(notes)], tempo_between(way.first, way.last, place)
        )
        sound = sounds.write(options.out / f"{name}{SOUND}", notes)
        rows.append(PageStep(name, step, sound, mean_shares(bundle, step.melodies)))
        joined += notes_between(step.melodies, way.first, way.last, place, now)
        now += seconds_between(step.melodies, way.first, way.last, place)
    write_midi(options.out / f"{way.name}.mid", [melody_track(joined)], way.first.tempo)
    return PageWay(way.name, rows, sounds.write(options.out / f"{way.name}{SOUND}", joined), _named(options))


def _named(options: MorphOptions) -> tuple[str, ...]:
    """Return the attributes whose shares are shown."""
    return (*options.removed, *options.added)


def _figures(options: MorphOptions, bundle: MelodyBundle, ways: Sequence[_Way]) -> Iterator[str]:
    """Yield lines of text: distances and shares, each beside chance."""
    chance = bundle.manifest.chance_distance
    beside = f"two melodies of the corpus at random: {chance:.0%}" if chance >= 0 else "chance unknown"
    for way in ways:
        first, last = way.steps[0], way.steps[-1]
        if way.name == MOVED:
            yield (
                f"steps that sound another pitch than the source: {last.from_start:.0%} moved, "
                f"{first.from_start:.0%} only decoded; {beside}"
            )
            yield from _share_lines(options, bundle, way)
        else:
            yield (
                f"{way.name}: steps that sound another pitch than the files: {first.from_start:.0%} at the "
                f"first, {last.from_end:.0%} at the last; {beside}"
            )


def _share_lines(options: MorphOptions, bundle: MelodyBundle, way: _Way) -> Iterator[str]:
    classifier = bundle.manifest.shares
    if classifier is None:
        return
    real = dict(zip(classifier.players, classifier.real, strict=True))
    before, after = mean_shares(bundle, way.first.melodies), mean_shares(bundle, way.steps[-1].melodies)
    for name in _named(options):
        if name not in real:
            yield f"share of {name}: the classifier does not know it"
            continue
        held_out = f", in real melodies held out {real[name]:.0%}" if real[name] >= 0 else ""
        yield (
            f"share of {name} by the classifier: {before[name]:.0%} before, {after[name]:.0%} after; "
            f"chance {1 / len(real):.0%}{held_out}"
        )


def _title(options: MorphOptions) -> str:
    if len(options.sources) == 2:
        return f"{options.sources[0].stem} to {options.sources[1].stem}"
    changes = [f"- {name}" for name in options.removed] + [f"+ {name}" for name in options.added]
    return " ".join([options.sources[0].stem, *changes])

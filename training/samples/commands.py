"""The command `tatumflow samples`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import CorpusError, SettingError
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.model.bundle import bundle_path, load_bundle
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.comparison import Figures, without_nan
from tatumflow.training.evaluate.generations import Performer, seed_of
from tatumflow.training.evaluate.progress import Progress
from tatumflow.training.evaluate.report.examples import Example, WriteSound, write_examples
from tatumflow.training.samples.blind import PAGE as BLIND_PAGE
from tatumflow.training.samples.blind import make_blind_test
from tatumflow.training.samples.calls import find_calls
from tatumflow.training.samples.page import SOUND, Shown, sample_page, sample_title, style_title
from tatumflow.training.samples.play import Sample, play_best, references_of
from tatumflow.training.samples.real import Stretch, credits_of, real_stretch
from tatumflow.training.samples.requests import sample_requests

PAGE: Final = "index.html"
FIGURES: Final = "samples.json"
BLIND_FOLDER: Final = "blind"
"""Folder of the blind test beside the page."""


@dataclass(frozen=True)
class SampleSettings:
    """What to play.

    Attributes:
        count: Number of samples.
        candidates: Number of candidates of each.
        seed: Seed of everything random.
    """

    count: int = 20
    candidates: int = 6
    seed: int = 0


def make_samples(
    model: str,
    out: Path,
    settings: SampleSettings | None = None,
    *,
    corpus: Path | None = None,
    primers: Sequence[Path] = (),
    write_sound: WriteSound | None = None,
    progress: Progress | None = None,
) -> list[Sample]:
    """Play candidates in every mode and several styles, choose the best, and write a page of samples.

    With a corpus, a player's real stretch is beside each sample, and a blind test of the model is beside the
    page, in `BLIND_FOLDER`.

    Args:
        model: Name or folder of a bundle; the first at hand when empty.
        out: Folder for the page, the figures as JSON and the files, made if it does not exist; those of an
            earlier run are replaced.
        settings: What to play.
        corpus: A packed corpus: calls and real answers from its validation side, references of
            improvisations from its players.
        primers: MIDI files whose phrases are the calls. With neither, calls are written phrases.
        write_sound: Makes the sound files; None for MIDI only.
        progress: Display of the progress; on standard error by default.

    Returns:
        The samples in the order of the page.

    Raises:
        BundleError: if the bundle cannot be opened.
        CorpusError: if the corpus cannot be opened.
        MidiFileError: if a file cannot be read or written, or holds no phrase.
        SettingError: if the folder cannot be written.
        ModelFault: if the model's output is not finite.
    """
    chosen = settings or SampleSettings()
    if out.exists() and not out.is_dir():
        raise SettingError(f"{out}: is a file; give the name of a folder")
    shown = progress or Progress(command="samples")
    bundle = load_bundle(bundle_path(model))
    packed = None if corpus is None else PackedCorpus.open(corpus)
    calls = find_calls(chosen.count, corpus=packed, files=primers, seed=chosen.seed)
    performer = Performer(bundle)
    samples: list[Sample] = []
    stretches: list[Stretch | None] = []
    replied = 0
    for number, request in enumerate(sample_requests(bundle.styles, chosen.count)):
        shown.begin(f"{number + 1} of {chosen.count}")
        call = None
        if request.mode != "improvise":
            call, replied = calls[replied % len(calls)], replied + 1
        seed = seed_of(chosen.seed, number)
        references = references_of(request, call, packed, seed)
        samples.append(
            play_best(performer, request, call, references, candidates=chosen.candidates, seed=seed)
        )
        stretches.append(real_stretch(request, call, packed, seed))
    shown.end()
    source = "phrases of the files"
    if not primers:
        source = "written phrases" if packed is None else "held-out phrases"
    header: Figures = {
        "model": bundle.name,
        "command": _command(bundle.name, chosen, packed is not None, primers),
        "calls": source,
        "candidates": chosen.candidates,
        "credits": [] if packed is None else credits_of(packed),
        "blind": "",
        "no_blind": "no corpus was given",
    }
    if corpus is not None:
        header |= _blind_test(model, out, corpus, chosen.seed, write_sound, shown)
    _write(out, samples, stretches, header, write_sound)
    return samples


def _blind_test(
    model: str, out: Path, corpus: Path, seed: int, write_sound: WriteSound | None, progress: Progress
) -> Figures:
    """Write the blind test; without pieces that are long enough, return the reason."""
    try:
        make_blind_test(
            [model],
            out / BLIND_FOLDER,
            corpus,
            seed=seed,
            write_sound=write_sound,
            progress=progress,
            back=PAGE,
        )
    except CorpusError as error:
        return {"no_blind": str(error)}
    return {"blind": f"{BLIND_FOLDER}/{BLIND_PAGE}", "no_blind": ""}


def _write(
    out: Path,
    samples: Sequence[Sample],
    stretches: Sequence[Stretch | None],
    header: Figures,
    write_sound: WriteSound | None,
) -> None:
    pairs = list(zip(samples, stretches, strict=True))
    found = [(_example(n, sample), _real_example(n, real)) for n, (sample, real) in enumerate(pairs, start=1)]
    try:
        out.mkdir(parents=True, exist_ok=True)
        flat = iter([example for pair in found for example in pair if example is not None])
        examples, silent = write_examples(flat, out, write_sound, SOUND)
        done = iter(examples)
        written = [(next(done), None if real is None else next(done)) for _, real in found]
        shown = [Shown(*pair, *files) for pair, files in zip(pairs, written, strict=True)]
        figures = without_nan({**header, "samples": [_figures(one) for one in shown]})
        write_whole(out / FIGURES, json.dumps(figures, indent=1, allow_nan=False) + "\n")
        write_whole(out / PAGE, sample_page(shown, header, silent))
    except OSError as error:
        raise SettingError(f"{out}: cannot be written ({error.strerror}); give another folder") from None


def _example(number: int, sample: Sample) -> Example:
    styles = "-".join(sample.request.styles) or "no-style"
    name = f"{number:02d}-{sample.request.mode}-{styles}"
    return Example(name, sample_title(sample), style_title(sample), sample.given, sample.played)


def _real_example(number: int, real: Stretch | None) -> Example | None:
    return (
        None if real is None else Example(f"{number:02d}-real", real.title, "real", real.given, real.played)
    )


def _figures(shown: Shown) -> Figures:
    sample, real = shown.sample, shown.real
    call = sample.call
    return {
        "file": f"{shown.example.name}.mid",
        **asdict(sample.request),
        "call": None if call is None else {"piece": call.piece, "player": call.player},
        "seed": sample.seed,
        "chosen": sample.choice.index + 1,
        "faultless": sample.choice.faultless,
        "faults": list(sample.judgment.faults),
        "distances": sample.judgment.figures,
        "candidates": {name: list(ends) for name, ends in sample.choice.ranges.items()},
        "mean_rank": sample.choice.rank,
        **asdict(sample.judgment.texture),
        "real": None
        if real is None or shown.real_example is None
        else {"file": f"{shown.real_example.name}.mid", "corpus": real.corpus, **asdict(real.texture)},
    }


def _command(model: str, settings: SampleSettings, corpus: bool, primers: Sequence[Path]) -> str:
    command = f"tatumflow samples {model} -o DIR"
    command += " --corpus CORPUS" if corpus else ""
    command += "".join(f" --primer {path.name}" for path in primers)
    return f"{command} --count {settings.count} --candidates {settings.candidates} --seed {settings.seed}"

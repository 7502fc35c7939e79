"""The command `tatumflow prompt`, which imports its libraries when it runs."""

import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from tatumflow.training.libraries import needed_libraries

DEFAULT_MODEL = "facebook/musicgen-small"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(rich_help_panel="Models")(prompt)


def prompt(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The music, such as 'be-bop jazz solo in F'.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Sound file to write: .wav, .flac or .mp3.")],
    recording: Annotated[
        Path | None, typer.Option("--continue", help="Sound file to continue; the output begins with it.")
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", help="Length of the new sound in seconds, up to 300.")
    ] = 10.0,
    guidance: Annotated[
        float, typer.Option("--guidance", help="How closely to follow the text, 1 to 20; 1 is unguided.")
    ] = 3.0,
    temperature: Annotated[
        float, typer.Option("--temperature", help="Randomness, 0 to 2; 0 takes the most likely.")
    ] = 1.0,
    top_k: Annotated[int, typer.Option("--top-k", help="Most likely codes to sample from, 0 for all.")] = 250,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Random seed, 0 or more; the same seed, the same music.")
    ] = None,
    model: Annotated[
        str, typer.Option("--model", help="MusicGen model: folder, exported name, or name on the Hub.")
    ] = DEFAULT_MODEL,
    download: Annotated[
        bool, typer.Option("--download", help="Download weights that are not in the Hub's cache.")
    ] = False,
) -> None:
    """Play music from a text with MusicGen, new or in continuation of a recording."""
    from tatumflow.engine.files.regular_file import check_output

    check_output(out)
    with needed_libraries("training,musicgen"):
        from tatumflow.training.musicgen.generation import CodeSampling
        from tatumflow.training.musicgen.prompting import Prompt, play_prompt
    seed = secrets.randbelow(1 << 31) if seed is None else seed
    requested = Prompt(text, seconds, CodeSampling(temperature, top_k, guidance, seed), recording)
    result = play_prompt(
        requested, out, model, download, _progress if sys.stderr.isatty() else lambda _: None
    )
    print(f"{out}: {result.seconds:.1f} s at {result.rate} Hz, seed {seed}")
    print(f"model {result.model}; licence of its weights: {result.licence}")


def _progress(seconds: float) -> None:
    """Show the seconds of new sound so far on the terminal."""
    print(f"\r{seconds:6.1f} s", end="\r", file=sys.stderr, flush=True)

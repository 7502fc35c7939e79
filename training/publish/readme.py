"""The card of a published model: README.md of its repository, metadata first."""

from collections.abc import Sequence
from typing import Final

from tatumflow.training.export.card import commands, section
from tatumflow.training.publish.metadata import card_data
from tatumflow.training.publish.publication import Publication
from tatumflow.training.publish.sounds import SoundExample
from tatumflow.training.publish.weights import WEIGHTS_FILE

README: Final = "README.md"
EXAMPLE: Final = "example.py"

_LOADING: Final = """\
With TatumFlow, whose `models get` checks the hash of every graph:

{commands}

Without it: `{example}` needs onnxruntime and numpy alone, and has no part of TatumFlow in it.

{run}"""


def repository_card(
    model: Publication,
    repo: str,
    own_card: str,
    *,
    weights: str,
    examples: Sequence[SoundExample],
    silence: str,
) -> str:
    """Return the card: metadata, the model's own card, and what the repository adds.

    Args:
        model: The model.
        repo: Its repository, USER/NAME.
        own_card: The card of its folder, in Markdown.
        weights: Where the safetensors come from; empty where there are none.
        examples: What it plays.
        silence: Why the examples have no sound; empty where they do.

    Raises:
        PublishError: if a figure is not finite.
    """
    files = [
        f"`{model.manifest_file}`: the manifest, with hashes of the graphs, and figures with their commands"
    ]
    files += [f"`{graph.file}`: {name}, ONNX, {graph.precision}" for name, graph in model.graphs.items()]
    if weights:
        files.append(f"`{WEIGHTS_FILE}`: weights by their names in the training code, from {weights}")
    files.append(f"`{EXAMPLE}`: a loading example")
    parts = [
        f"---\n{card_data(model).to_yaml()}\n---\n\n{own_card.rstrip()}\n",
        section("Loading", _loading(model, repo)),
        section("Files", "\n".join(f"- {line}" for line in files)),
    ]
    if examples:
        parts.append(section("Examples", _examples(repo, examples, silence)))
    return "".join(parts)


def _loading(model: Publication, repo: str) -> str:
    use = (
        f"tatumflow jam --model {model.name}"
        if model.bundle is not None
        else f"tatumflow separate MIX.wav -o STEMS --separator {model.name}"
    )
    run = f"python {EXAMPLE} {'[STYLE] [SEED]' if model.bundle is not None else '[MIX.wav]'}"
    return _LOADING.format(
        commands=commands(f"tatumflow models get {repo}", use),
        example=EXAMPLE,
        run=commands("pip install onnxruntime numpy", run),
    )


def _examples(repo: str, examples: Sequence[SoundExample], silence: str) -> str:
    lines = [
        "The bundled phrase, continued; `tatumflow publish` made them with the seeds named. None was chosen",
        "from several.",
        "",
    ]
    for example in examples:
        style = example.style.replace("-", " ").title() or "No style"
        sound = f"[sound]({example.sound}), " if example.sound else ""
        lines.append(f"- {style}, seed {example.seed}: {sound}[MIDI]({example.midi})")
    if silence:
        lines += ["", f"Without sound: {silence}."]
    return "\n".join(lines)

"""The report of an evaluation: one page that needs no network, with its examples beside it."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.training.evaluate.comparison import Figures
from tatumflow.training.evaluate.evaluation import EvaluationResult
from tatumflow.training.evaluate.metrics.music_metrics import METRICS
from tatumflow.training.evaluate.metrics.pitch import pitch_class_counts, pitch_class_transitions
from tatumflow.training.evaluate.report import plots
from tatumflow.training.evaluate.report.examples import Example, WriteSound, examples_of, write_examples
from tatumflow.training.evaluate.report.page import document, midi_link, note, sound_player, table

PAGE: Final = "index.html"
EXAMPLES: Final = "examples"
_SOUND: Final = ".mp3"
_SHOWN: Final = (
    "pitch_entropy",
    "rhythm_diversity",
    "groove_similarity",
    "note_density",
    "polyphony",
    "distinct_voicings",
)


def write_report(result: EvaluationResult, folder: Path, write_sound: WriteSound | None) -> Path:
    """Write the page and the examples into a folder, which is made if it does not exist.

    Args:
        result: What was evaluated.
        folder: The folder; what a report wrote there before is replaced.
        write_sound: Makes sound files; None for MIDI only.

    Returns:
        The page.

    Raises:
        SettingError: if the folder cannot be written.
        MidiFileError: if an example cannot be.
    """
    try:
        (folder / EXAMPLES).mkdir(parents=True, exist_ok=True)
        examples, why = write_examples(examples_of(result), folder / EXAMPLES, write_sound, _SOUND)
        page = folder / PAGE
        write_whole(page, _page(result, examples, why))
    except OSError as error:
        raise SettingError(f"{folder}: cannot be written ({error.strerror}); give another folder") from None
    return page


def _page(result: EvaluationResult, examples: Sequence[Example], why: str) -> str:
    figures = result.figures
    title = f"Evaluation of {figures.get('model', 'a model')}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p><code>{escape(str(figures.get('command', '')))}</code></p>",
        *_skipped(figures),
        *_likelihoods(figures),
        *_continuations(result),
        *_listener(figures),
        *_styles(figures),
        *_answers(figures),
        *_controls(figures),
        *_edits(figures),
        *_memorization(figures),
        *_examples(examples, why),
    ]
    return document(title, body)


def _skipped(figures: Figures) -> Iterator[str]:
    for part, reason in figures.get("skipped", {}).items():
        yield note(f"Left out: {part}. {reason}")


def _likelihoods(figures: Figures) -> Iterator[str]:
    if "nll_per_note" not in figures:
        return
    yield "<h2>Likelihood of real notes</h2>"
    yield note(
        f"Every note of {figures['nll_pieces']} held-out pieces foretold from the true notes before it, in "
        "nats; 95 % intervals over pieces."
    )
    corpora = {"all": figures, **figures["nll_corpora"]}
    fields = list(figures["nll_fields"])
    rows = [
        [name, f"{part['nll_notes']:,}"]
        + [_with_interval(part[key]) for key in ("nll_per_note", "nll_per_token")]
        + [_with_interval(part["nll_fields"].get(field)) for field in fields]
        + [_with_interval(part[key]) for key in ("perplexity", "note_accuracy")]
        for name, part in corpora.items()
    ]
    heads = ["", "notes", "per note", "per token", *fields, "perplexity", "note accuracy"]
    yield table(heads, rows)
    bars = {
        field: {
            name: (part["nll_fields"][field]["value"], part["nll_fields"][field]["interval"])
            for name, part in corpora.items()
            if field in part["nll_fields"]
        }
        for field in fields
    }
    yield _image(plots.bars(bars, "nats per value"), "Nats of each field")


def _continuations(result: EvaluationResult) -> Iterator[str]:
    figures, played = result.figures, result.continuations
    if "pitch_class_kl" not in figures or played is None:
        return
    yield "<h2>Continuations against what the players did next</h2>"
    yield note(
        f"{figures['primers']} primers of {figures['primer_pieces']} held-out pieces, "
        f"{figures['continuation_seconds']:g} s each, in the style of each primer's player where the model "
        "knows it, under the default controls."
    )
    yield table(
        ["", "generated", "real", "ratio", "95 % interval"],
        [[_words(name), *_comparison(figures[name])] for name in METRICS],
    )
    yield _image(plots.ratios({name: figures[name] for name in METRICS}), "Ratios")
    pairs = {
        name: (
            [METRICS[name](notes, played.seconds) for notes in played.generated],
            [METRICS[name](primer.real, played.seconds) for primer in played.primers],
        )
        for name in _SHOWN
    }
    yield _image(plots.distributions(pairs), "Distributions over primers")
    yield "<h3>Pitch classes</h3>"
    rows = [
        [_words(name), _words(key), *(_number(part[key]) for part in parts)]
        for name in ("pitch_class_kl", "pctm_cosine")
        for parts in [(figures[name], figures[name]["real_later"], figures[name]["real_other"])]
        for key in ("per_primer", "pooled")
    ]
    yield table(["", "", "generated", "real, later", "real, another player"], rows)
    real = [primer.real for primer in played.primers]
    for draw, count, text in (
        (plots.pitch_classes, pitch_class_counts, "Pitch classes"),
        (plots.transitions, pitch_class_transitions, "Pitch-class transitions"),
    ):
        sums = [np.sum([count(notes) for notes in side], axis=0) for side in (played.generated, real)]
        yield _image(draw(*sums), text)


def _listener(figures: Figures) -> Iterator[str]:
    if "listener" not in figures:
        return
    found = figures["listener"]
    yield "<h2>What a listener notices</h2>"
    yield note(
        f"{found['primers']} primers of {found['pieces']} held-out pieces, {found['seconds']:g} s each: the "
        "companion, the player in the same seconds, and the player later in the piece as a control; 95 % "
        "intervals over pieces. Nearer to the player is better, above or below."
    )
    sides = ("companion", "player", "control", "ratio")
    heads = ["", "companion", "player", "player, later", "companion / player"]
    rows = [
        [_words(name), *(_with_interval(row[side]) for side in sides)]
        for name, row in found["figures"].items()
    ]
    divergence = found["pitch_class_kl"]
    rows.append(
        [
            "pitch-class KL from the player",
            *(_with_interval(divergence.get(side)) for side in ("companion", "player", "control", "ratio")),
        ]
    )
    yield table(heads, rows)
    ratios = {
        name: {"ratio": row["ratio"]["value"], "interval": row["ratio"]["interval"]}
        for name, row in found["figures"].items()
    }
    yield _image(plots.ratios(ratios), "Companion over player")
    yield from _discriminator(found["discriminator"])
    yield from _beat(found.get("beat", {}))
    for name, reason in found["unavailable"].items():
        yield note(f"{_words(name)}: {reason}.")


def _discriminator(figures: Figures) -> Iterator[str]:
    if not figures:
        return
    yield "<h3>Told apart by classifiers</h3>"
    yield note(
        "AUC on pieces the classifier was not trained on: 0.5 cannot tell, 1 always can. The control tells "
        "the player from the player later in the piece."
    )
    yield table(
        ["classifier on", "companion or player", "player or player, later"],
        [
            [_words(kind), *(_with_interval(figures[kind].get(side)) for side in ("companion", "control"))]
            for kind in ("features", "features_and_primer", "notes")
        ],
    )
    yield table(
        ["told by", "AUC lost without it", "AUC alone"],
        [[row["name"], _number(row["drop"]), _number(row["alone"])] for row in figures.get("told_by", [])],
    )


def _beat(figures: Figures) -> Iterator[str]:
    if not figures:
        return
    yield "<h3>The beat</h3>"
    yield note("Takes over charts on the chart's beats, beside Weimar solos on the beats that people tapped.")
    yield table(
        ["", "beats a minute", "companion", "solos", "held-out solos", "ratio", "middle half of solos"],
        [
            [
                _words(name),
                band,
                *(_with_interval(row[side]) for side in ("companion", "player", "held_out", "ratio")),
                _bounds(row["middle_half"]) if row["middle_half"] else "–",
            ]
            for band, rows in figures.items()
            for name, row in rows.items()
            if isinstance(row, Mapping)
        ],
    )


def _styles(figures: Figures) -> Iterator[str]:
    if "style_match" not in figures:
        return
    yield "<h2>Styles</h2>"
    accuracy = figures["style_classifier"]
    if "top1" in accuracy:
        yield note(
            f"A classifier of {accuracy['styles']} players hears the right one in "
            f"{accuracy['top1']['value']:.1%} of {accuracy['held_out_stretches']} held-out stretches "
            f"({accuracy['top5']['value']:.1%} among its first five, {accuracy['piece_top1']['value']:.1%} "
            f"of whole pieces); naming the commonest player would reach {accuracy['majority']:.1%}."
        )
    match = figures["style_match"]
    yield table(
        ["asked for", "heard in generated", "in real", "ratio", "95 % interval", "own primers", "no style"],
        [
            [style, *_comparison(row), _number(row["own_primers"]), _number(row["no_style"])]
            for style, row in match.items()
        ],
    )
    bars = {
        style: {
            "generated": (row["generated"], row["generated_interval"]),
            "real": (row["real"], row["real_interval"]),
            "no style": (row["no_style"], None),
        }
        for style, row in match.items()
    }
    if bars:
        yield _image(plots.bars(bars, "share of stretches that the classifier gives to the player"), "Styles")
    panels: dict[str, Figures] = {}
    for key, setting, quantity in (
        ("style_blend", "blend", "log_odds"),
        ("style_strength", "strength", "log_probability"),
    ):
        rows = figures[key].get("rows", [])
        if not rows:
            continue
        yield f"<h3>{_words(key)}</h3>"
        heads = [name for name in rows[0] if name != "interval"]
        yield table(
            [*map(_words, heads), "95 % interval"],
            [[*(_number(row[name]) for name in heads), _bounds(row["interval"])] for row in rows],
        )
        yield note(f"Monotone: {_yes(figures[key]['monotone'])}.")
        panels[key] = {
            "settings": [f"{row[setting]:g}" for row in rows],
            "values": [row[quantity] for row in rows],
            "intervals": [row["interval"] for row in rows],
            "quantity": _words(quantity),
        }
    if panels:
        yield _image(plots.curves(panels), "Blends and strengths")


def _answers(figures: Figures) -> Iterator[str]:
    if "answer_relevance" not in figures:
        return
    relevance = figures["answer_relevance"]
    settings = {name: row for name, row in relevance.items() if isinstance(row, Mapping)}
    yield "<h2>Answers</h2>"
    yield note(
        f"Distance from a reply to its own call and to other calls, over {relevance['calls']} calls; 1 is as "
        "far apart as two calls that have nothing to do with each other."
    )
    rows = [
        [
            name,
            _number(row["own"]),
            _number(row["shuffled"]),
            _number(row["difference"]),
            _bounds(row["interval"]),
            _with_interval(row.get("against_real")),
        ]
        for name, row in settings.items()
    ]
    heads = ["", "own call", "other calls", "difference", "95 % interval", "less real"]
    yield table(heads, rows)
    bars = {
        f"{part}, {name}": {
            "own call": (row["parts"][part]["own"], row["parts"][part]["own_interval"]),
            "other calls": (row["parts"][part]["shuffled"], row["parts"][part]["shuffled_interval"]),
        }
        for part in next(iter(settings.values()))["parts"]
        for name, row in settings.items()
    }
    yield _image(plots.bars(bars, "distance"), "Distances by part")
    if "answer_motifs" not in figures:
        return
    yield note("Shares of the replies' cells that their calls have, and other calls; real is the player's.")
    yield table(
        ["", "", "own call", "other calls", "difference", "to the real phrases"],
        [
            [
                _words(name),
                setting,
                *(_with_interval(row[key]) for key in ("own", "other", "difference", "ratio")),
            ]
            for name, settings in figures["answer_motifs"].items()
            for setting, row in settings.items()
        ],
    )


def _controls(figures: Figures) -> Iterator[str]:
    if "control_response" not in figures:
        return
    yield "<h2>Controls</h2>"
    panels: dict[str, Figures] = {}
    rows: list[list[str]] = []
    for name, control in figures["control_response"].items():
        settings = [_setting(setting) for setting in control["settings"]]
        values = " → ".join(_number(value) for value in control["values"])
        rows.append(
            [_words(name), control["quantity"], " → ".join(settings), values, _yes(control["monotone"])]
        )
        panels[name] = {**control, "settings": settings}
    yield table(["control", "moves", "settings", "measured", "monotone"], rows)
    yield _image(plots.curves(panels), "What controls move")


def _edits(figures: Figures) -> Iterator[str]:
    if "theory_edits" not in figures:
        return
    trial = figures["theory_edits"]
    yield "<h2>Edits of theory</h2>"
    yield note(
        f"{trial['calls']} calls replied to with an edit and without, under {trial['takes']} seeds. The fall "
        "is that of the edited part's distance to what was asked. The other parts should move no more than "
        f"{trial['tolerance']:g} times as far as they do between two seeds."
    )
    parts = list(next(iter(trial["edits"].values()))["parts"])
    rows = [
        [
            name,
            _number(edit["before"]),
            f"{_number(edit['moved'])} {_bounds(edit['interval'])}",
            f"{edit['quantity']} {_number(edit['plain'])} → {_number(edit['edited'])}",
            *(_number(edit["parts"][part]["ratio"]) for part in parts),
            _yes(edit["held"]),
        ]
        for name, edit in trial["edits"].items()
    ]
    yield table(["edit", "distance before", "fall", "heard in", *parts, "others held"], rows)


def _memorization(figures: Figures) -> Iterator[str]:
    if "memorization" not in figures:
        return
    shared = figures["memorization"]
    yield "<h2>Memorization</h2>"
    yield note(
        f"Runs of notes that continuations share with the {shared['training_notes']:,} notes of the training "
        f"set, beside those that the real continuations share with it; long is {shared['long_run']} notes "
        "or more."
    )
    rows = [
        [
            f"{kind}, {_words(key)}",
            *_comparison(shared[kind][key]),
            _with_interval(shared[kind][key]["difference"]),
        ]
        for kind in ("exact", "transposed")
        for key in ("longest_run", "long_run_share")
    ]
    yield table(["", "generated", "real", "ratio", "95 % interval", "difference"], rows)
    longest = [
        [kind, *(f"{shared[kind]['longest'][side]}" for side in ("generated", "real"))]
        for kind in ("exact", "transposed")
    ]
    yield table(["longest run of all, notes", "generated", "real"], longest)


def _examples(examples: Sequence[Example], why: str) -> Iterator[str]:
    if not examples:
        return
    yield "<h2>Examples</h2>"
    yield note("The first that were drawn, not the best. What was heard comes first, then what was played.")
    if why:
        yield note(f"MIDI only: {why}")
    rows: list[str] = []
    for example in examples:
        file = f"{EXAMPLES}/{example.name}"
        sound = sound_player(file + _SOUND) if example.sound else ""
        cells = (escape(example.title), escape(example.kind), sound, midi_link(f"{file}.mid"))
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    yield '<table id="examples">' + "\n".join(rows) + "</table>"


def _comparison(row: Figures) -> list[str]:
    return [_number(row[key]) for key in ("generated", "real", "ratio")] + [_bounds(row["interval"])]


def _image(svg: str, alternative: str) -> str:
    data = base64.b64encode(svg.encode()).decode()
    return f'<p><img alt="{escape(alternative)}" src="data:image/svg+xml;base64,{data}"></p>'


def _number(value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, int | float) or not np.isfinite(value):
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _bounds(interval: Sequence[float]) -> str:
    return f"[{_number(interval[0])}, {_number(interval[1])}]"


def _with_interval(figure: Figures | None) -> str:
    return "–" if figure is None else f"{_number(figure['value'])} {_bounds(figure['interval'])}"


def _setting(value: object) -> str:
    text = "none" if value == "" else f"{value:g}" if isinstance(value, int | float) else str(value)
    return " ".join(text.split())[:24]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _yes(value: object) -> str:
    return "yes" if value else "no"

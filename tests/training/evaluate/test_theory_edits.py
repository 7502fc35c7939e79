"""What edits of theory are seen to move: trials made by hand, and the companion's."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from players import pack_players

from tatumflow.engine.controls import MODES, Controls
from tatumflow.engine.model.bundle import load_bundle
from tatumflow.engine.theory.features import PARTS
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.evaluate.commands import table
from tatumflow.training.evaluate.generations import Performer, to_notes
from tatumflow.training.evaluate.parts.answer_relevance import Call, draw_calls
from tatumflow.training.evaluate.parts.theory_edits import (
    EDITS,
    TAKES,
    TOLERANCE,
    EditTrial,
    Takes,
    TheoryEdit,
    edit_figures,
    play_edits,
)
from tatumflow.training.evaluate.primers import Notes

CALLS = 6
Change = Callable[[Notes], Notes]


def edit(name: str) -> TheoryEdit:
    return next(edit for edit in EDITS if edit.name == name)


def line(rng: np.random.Generator) -> Notes:
    """Thirty notes of even rhythm."""
    return note_array(0.25 * np.arange(30), [0.2] * 30, rng.integers(50, 80, 30), rng.integers(40, 80, 30))


def fast(notes: Notes) -> Notes:
    played = notes.copy()
    for name in ("onset", "duration"):
        played[name] /= 2
    return played


def loud(notes: Notes) -> Notes:
    played = notes.copy()
    played["velocity"] += 16
    return played


def reply_to(call: Notes, rng: np.random.Generator) -> Notes:
    """A reply in the call's rhythm, with its velocities, at other pitches."""
    played = call.copy()
    played["pitch"] = rng.integers(50, 80, len(call))
    return played


@pytest.fixture
def plain() -> EditTrial:
    """Replies without an edit, and as if no edit changed anything."""
    rng = np.random.default_rng(0)
    notes = [line(rng) for _ in range(CALLS)]
    calls = tuple(Call(str(i), "c", "", line(rng)[:0], phrase, phrase) for i, phrase in enumerate(notes))
    takes = tuple(tuple(reply_to(phrase, rng) for phrase in notes) for _ in range(2))
    return EditTrial(calls, dict.fromkeys(MODES, takes), {edit.name: takes for edit in EDITS})


def with_edit(trial: EditTrial, name: str, change: Change) -> EditTrial:
    played: Takes = tuple(tuple(map(change, take)) for take in trial.edited[name])
    return replace(trial, edited={**trial.edited, name: played})


def test_an_edit_that_does_what_is_requested_reaches_it_and_leaves_the_rest(plain: EditTrial) -> None:
    figures = edit_figures(with_edit(plain, "restyle, pace x 2", fast))["edits"]["restyle, pace x 2"]
    assert figures["before"] > 0.5
    assert figures["after"] == pytest.approx(0, abs=1e-5)
    assert figures["moved"] == pytest.approx(figures["before"], abs=1e-5)
    assert figures["interval"][0] > 0
    assert figures["plain"] == pytest.approx(0.25)
    assert figures["edited"] == pytest.approx(0.125)
    assert figures["change"]["value"] == pytest.approx(-0.125)
    assert figures["parts"]["melody"]["edit"] == pytest.approx(0, abs=1e-5)
    assert figures["parts"]["melody"]["seeds"] > 0.3
    assert figures["parts"]["melody"]["ratio"] == pytest.approx(0, abs=1e-4)
    assert figures["parts"]["harmony"]["ratio"] == pytest.approx(0, abs=1e-4)


def test_no_effect_is_seen_as_none(plain: EditTrial) -> None:
    for name, figures in edit_figures(plain)["edits"].items():
        assert figures["moved"] == 0, name
        assert figures["before"] == figures["after"] > 0
        assert figures["change"]["value"] == 0


def test_an_edit_that_moves_another_part_is_found_out(plain: EditTrial) -> None:
    rng = np.random.default_rng(1)
    uneven = [line(rng) for _ in range(CALLS)]
    for notes in uneven:
        gaps = rng.uniform(0.1, 0.4, len(notes))
        notes["onset"] = np.cumsum(gaps) - gaps[0]
    trial = replace(plain, plain={**plain.plain, "restyle": (tuple(uneven), plain.plain["restyle"][0])})
    kept = with_edit(
        replace(trial, edited={**trial.edited, "restyle, velocity +16": trial.plain["restyle"]}),
        "restyle, velocity +16",
        loud,
    )
    figures = edit_figures(kept)["edits"]["restyle, velocity +16"]
    assert figures["held"]
    assert figures["edited"] - figures["plain"] == pytest.approx(16)
    assert figures["interval"][0] > 0
    spoilt = with_edit(kept, "restyle, velocity +16", lambda notes: fast(fast(notes)))
    figures = edit_figures(spoilt)["edits"]["restyle, velocity +16"]
    assert figures["parts"]["rhythm"]["ratio"] > TOLERANCE
    assert not figures["held"]


def test_replies_without_notes_are_left_out(plain: EditTrial) -> None:
    silent = with_edit(plain, "reharmonize over Cmaj7", lambda notes: notes[:0])
    figures = edit_figures(silent)["edits"]["reharmonize over Cmaj7"]
    assert np.isnan(figures["after"])
    assert np.isnan(figures["edited"])
    assert not figures["held"]


def test_the_target_differs_from_the_call_in_one_part_alone() -> None:
    notes = to_notes(line(np.random.default_rng(2)))
    targets = {edit.name: edit.target(notes) for edit in EDITS}
    for one in EDITS:
        for other in EDITS:
            differing = {
                part.name
                for part in PARTS
                if not np.array_equal(targets[one.name][part.slice], targets[other.name][part.slice])
            }
            assert differing == ({one.part, other.part} if other.changes != one.changes else set())
        assert Controls(mode=one.mode, **one.changes)
    share = edit("reharmonize over Gbmaj7").measure
    assert share(note_array([0, 1, 2, 3], [0.5] * 4, [66, 70, 73, 60], [64] * 4)) == 0.75


def test_the_companion_is_tried_under_the_same_seeds(tiny_bundle: Path, tmp_path: Path) -> None:
    performer = Performer(load_bundle(tiny_bundle))
    calls = draw_calls(pack_players(tmp_path / "packed"), "val", 2)
    chosen = [edit(name) for name in ("reharmonize over Gbmaj7", "restyle, pace x 2")]
    controls = Controls(style="")
    trial, again = (play_edits(performer, calls, controls, edits=chosen, takes=2, seed=3) for _ in range(2))
    assert set(trial.plain) == {"reharmonize", "restyle"}
    assert set(trial.edited) == {"reharmonize over Gbmaj7", "restyle, pace x 2"}
    for name, takes in trial.edited.items():
        assert len(takes) == 2
        assert all(len(take) == len(calls) for take in takes)
        for take, same in zip(takes, again.edited[name], strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(take, same, strict=True))
    given = (calls[0].context, calls[0].notes, replace(controls, mode="restyle"), 5)
    answer, reply = performer.answer(*given), performer.reply(*given)
    assert answer["pitch"].tolist() == reply["pitch"].tolist()
    assert answer["onset"][0] == 0
    first, second = trial.plain["restyle"]
    assert not all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    figures = edit_figures(trial, edits=chosen)
    assert figures["calls"] == 2
    assert figures["takes"] == 2 < TAKES
    assert set(figures["edits"]["restyle, pace x 2"]["parts"]) == {"harmony", "melody", "rhythm", "dynamics"}
    lines = [line for line in table({"theory_edits": figures}) if line.startswith("edit, ")]
    assert len(lines) == 2


def test_the_page_on_theory_counts_values_as_the_code_does() -> None:
    page = (Path(__file__).parents[3] / "docs" / "theory.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\w+), .*?\n(.*?)(?=^##)", page, re.MULTILINE | re.DOTALL))
    for part in PARTS:
        assert f"### {part.name.capitalize()}, {part.size} values" in page
        rows = re.findall(r"^\| (\d+) \|", sections[part.name.capitalize()], re.MULTILINE)
        assert sum(map(int, rows)) == part.size

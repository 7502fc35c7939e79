"""Playing a request: the companion in its mode, on a call or alone."""

from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np

from tatumflow.engine.midi.notes import Note
from tatumflow.engine.turns.turn_window import ENTRY_SECONDS
from tatumflow.training.data.packing import PackedCorpus, style_slug
from tatumflow.training.evaluate.generations import Performer, seed_of, to_notes
from tatumflow.training.evaluate.metrics.music_metrics import stretch_of
from tatumflow.training.evaluate.parts.answer_relevance import Call
from tatumflow.training.evaluate.primers import Notes, segments
from tatumflow.training.samples.choice import Candidate, Judgment, best_of, judge
from tatumflow.training.samples.requests import Request

CONTINUED_SECONDS: Final = 20.0
"""Length of what goes on from a call."""

IMPROVISED_SECONDS: Final = 40.0
"""Length of what is played alone."""

_REFERENCES: Final = 8
_REFERENCE_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Sample:
    """The chosen candidate of a request.

    Attributes:
        request: What was asked for.
        call: What it replies to; None where it plays alone.
        heard: The call, from 0 s on; empty where it plays alone.
        played: What the companion played, on the same clock.
        judgment: What is said of it.
        seed: Its seed.
        chosen: Its number among the candidates, from 1.
        faultless: How many of the candidates have no fault.
    """

    request: Request
    call: Call | None
    heard: tuple[Note, ...]
    played: tuple[Note, ...]
    judgment: Judgment
    seed: int
    chosen: int
    faultless: int


def play_best(
    performer: Performer,
    request: Request,
    call: Call | None,
    references: tuple[Notes, ...],
    *,
    candidates: int,
    seed: int,
) -> Sample:
    """Play a request several times and return the best.

    Args:
        performer: The model.
        request: What is asked for.
        call: What to reply to; None to play alone.
        references: What it should resemble.
        candidates: How often it is played, at least once.
        seed: Seed of the candidates'.

    Raises:
        ModelFault: if the model's output is not finite.
    """
    played = [_play(performer, request, call, seed_of(seed, i)) for i in range(candidates)]
    judgments = [judge(request, candidate, references) for candidate, _ in played]
    best = best_of(judgments)
    candidate, begins = played[best]
    heard = () if call is None else _moved(call.notes, -float(call.notes["onset"][0]))
    return Sample(
        request,
        call,
        heard,
        _moved(candidate.notes, begins),
        judgments[best],
        candidate.seed,
        best + 1,
        sum(not judgment.faults for judgment in judgments),
    )


def references_of(
    request: Request, call: Call | None, corpus: PackedCorpus | None, seed: int = 0
) -> tuple[Notes, ...]:
    """Return what a candidate should resemble.

    Restyled and reharmonized phrases are held against the call; answers and continuations against what the
    player really played next, or against the call where nothing is known of that; what is played alone
    against stretches of the players asked for, where the corpus has them.
    """
    if call is not None:
        goes_on = request.mode in ("answer", "continue") and len(call.following) > 0
        return (call.following if goes_on else call.notes,)
    if corpus is None:
        return ()
    found = [
        piece
        for piece in (*corpus.pieces("val"), *corpus.pieces("train"))
        if style_slug(piece.player) in request.styles
    ]
    order = np.random.default_rng(seed).permutation(len(found)).tolist()
    stretches = (next(segments(corpus.notes(found[i]), _REFERENCE_SECONDS), None) for i in order)
    return tuple(islice((stretch for stretch in stretches if stretch is not None), _REFERENCES))


def _play(performer: Performer, request: Request, call: Call | None, seed: int) -> tuple[Candidate, float]:
    """Return a candidate, and when it begins in seconds after the call does."""
    controls = replace(request.controls, seed=seed)
    if call is None:
        notes = performer.improvise(IMPROVISED_SECONDS, controls)
        return Candidate(seed, notes, IMPROVISED_SECONDS, ENTRY_SECONDS), 0.0
    start, last = (float(call.notes["onset"][i]) for i in (0, -1))
    if request.mode == "continue":
        heard = np.concatenate([call.context, call.notes])
        notes = performer.continuation(heard, CONTINUED_SECONDS, controls, seed)
        return Candidate(seed, notes, CONTINUED_SECONDS), last - start
    notes = performer.reply(call.context, call.notes, controls, seed)
    if not len(notes):
        return Candidate(seed, notes, 0.0), last - start
    first = float(notes["onset"][0])
    seconds = float((notes["onset"] + notes["duration"]).max()) - first
    return Candidate(seed, stretch_of(notes, first, seconds), seconds, last - first), first - start


def _moved(notes: Notes, seconds: float) -> tuple[Note, ...]:
    return tuple(replace(note, onset=max(note.onset + seconds, 0.0)) for note in to_notes(notes))

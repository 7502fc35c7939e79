"""Candidates of a request: the companion in its mode, on a call or alone."""

from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np

from tatumflow.engine.midi.notes import Note
from tatumflow.engine.turns.turn_window import ENTRY_SECONDS
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.generations import Performer, seed_of
from tatumflow.training.evaluate.metrics.music_metrics import stretch_of
from tatumflow.training.evaluate.parts.answer_relevance import Call
from tatumflow.training.evaluate.primers import Notes
from tatumflow.training.samples.choice import Candidate, Choice, Judgment, best_of, judge
from tatumflow.training.samples.real import player_stretches, shifted
from tatumflow.training.samples.requests import Request

CONTINUED_SECONDS: Final = 20.0
"""Length of a continuation."""

IMPROVISED_SECONDS: Final = 40.0
"""Length of an improvisation."""

_REFERENCES: Final = 8


@dataclass(frozen=True)
class Sample:
    """The chosen candidate of a request.

    Attributes:
        request: The request.
        call: The call; None for an improvisation.
        given: Notes of the call, from 0 s on; empty for an improvisation.
        played: Notes of the companion, on the same clock.
        choice: Why it was chosen.
        seed: Its seed.
    """

    request: Request
    call: Call | None
    given: tuple[Note, ...]
    played: tuple[Note, ...]
    choice: Choice
    seed: int

    @property
    def judgment(self) -> Judgment:
        """Its figures and faults."""
        return self.choice.judgment


def play_best(
    performer: Performer,
    request: Request,
    call: Call | None,
    references: tuple[Notes, ...],
    *,
    candidates: int,
    seed: int,
) -> Sample:
    """Play the candidates of a request and return the best.

    Args:
        performer: The model.
        request: The request.
        call: The call; None for an improvisation.
        references: Music that it should resemble.
        candidates: Number of candidates, at least 1.
        seed: Seed of the candidates' seeds.

    Raises:
        ModelFault: if the model's output is not finite.
    """
    played = [_play(performer, request, call, seed_of(seed, i)) for i in range(candidates)]
    judgments = [judge(request, candidate, references) for candidate, _ in played]
    choice = best_of(judgments)
    candidate, begins = played[choice.index]
    given = () if call is None else shifted(call.notes, -float(call.notes["onset"][0]))
    return Sample(
        request,
        call,
        given,
        shifted(candidate.notes, begins),
        choice,
        candidate.seed,
    )


def references_of(
    request: Request, call: Call | None, corpus: PackedCorpus | None, seed: int = 0
) -> tuple[Notes, ...]:
    """Return the music that a candidate should resemble.

    For restyled and reharmonized phrases the call; for answers and continuations the player's next phrase, or
    the call where it is not known; for improvisations stretches of the requested players, where the corpus
    has them.
    """
    if call is not None:
        goes_on = request.mode in ("answer", "continue") and len(call.following) > 0
        return (call.following if goes_on else call.notes,)
    if corpus is None:
        return ()
    return tuple(islice((notes for _, notes in player_stretches(request.styles, corpus, seed)), _REFERENCES))


def _play(performer: Performer, request: Request, call: Call | None, seed: int) -> tuple[Candidate, float]:
    """Return a candidate, and its beginning in seconds after that of the call."""
    controls = replace(request.controls, seed=seed)
    if call is None:
        notes = performer.improvise(IMPROVISED_SECONDS, controls)
        return Candidate(seed, notes, IMPROVISED_SECONDS, ENTRY_SECONDS), 0.0
    start, last = (float(call.notes["onset"][i]) for i in (0, -1))
    if request.mode == "continue":
        primer = np.concatenate([call.context, call.notes])
        notes = performer.continuation(primer, CONTINUED_SECONDS, controls, seed)
        return Candidate(seed, notes, CONTINUED_SECONDS), last - start
    notes = performer.reply(call.context, call.notes, controls, seed)
    if not len(notes):
        return Candidate(seed, notes, 0.0), last - start
    first = float(notes["onset"][0])
    seconds = float((notes["onset"] + notes["duration"]).max()) - first
    return Candidate(seed, stretch_of(notes, first, seconds), seconds, last - first), first - start

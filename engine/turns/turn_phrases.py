"""The condition of each phrase of a turn, while its notes are planned and withdrawn."""

from collections.abc import Sequence

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.errors import ModelFault
from tatumflow.engine.harmony.chords import Chord
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.phrases.phrase_guide import PHRASE_NOTES, PhraseGuide
from tatumflow.engine.theory.key import KEY_NOTES
from tatumflow.engine.turns.plan import Plan
from tatumflow.engine.turns.turn_request import TurnRequest


class TurnPhrases:
    """Puts another phrase condition in force every `PHRASE_NOTES` notes of a plan.

    A phrase whose notes were withdrawn has the same condition again. Where the model fails, it has none.

    Attributes:
        faults: Phrases left without a condition because the model failed, in all turns.
    """

    def __init__(self, session: ModelSession, plan: Plan, guide: PhraseGuide | None) -> None:
        """Begin no phrase yet.

        Args:
            session: The model's context.
            plan: The notes of the turn in progress.
            guide: Samples the conditions; without one phrases have none.
        """
        self.faults = 0
        self._session = session
        self._plan = plan
        self._guide = guide
        self._conditions: list[Floats | None] = []
        self._drawn_before = 0

    def use_guide(self, guide: PhraseGuide | None) -> None:
        """Sample the conditions with another guide, from the next `begin` on."""
        self._guide = guide

    @property
    def drawn(self) -> int:
        """Notes sampled since the phrases last began, and not withdrawn."""
        return self._plan.drawn - self._drawn_before

    @property
    def begun(self) -> int:
        """Phrases that began before the next note."""
        return min(len(self._conditions), -(-self.drawn // PHRASE_NOTES))

    @property
    def conditions(self) -> tuple[Floats | None, ...]:
        """The condition of each phrase so far, (P,) each; None for none."""
        return tuple(self._conditions)

    def forget_from(self, phrase: int) -> None:
        """Sample the conditions anew from a phrase on, counted from 0."""
        del self._conditions[phrase:]

    def restore(self, conditions: Sequence[Floats | None]) -> None:
        """Put conditions as they were, see `conditions`, in place of those sampled since."""
        self._conditions[:] = conditions

    def begin(self, request: TurnRequest, chords: Sequence[Chord]) -> Floats | None:
        """Begin a phrase with the next note; return its condition, (P,), not yet in force, None for none.

        `chords` are those to play over, in order; empty for none.
        """
        self._conditions.clear()
        self._drawn_before = self._plan.drawn
        if self._guide is None:
            return None
        policy = request.policy
        within = self._drawn_before > 0 and not policy.requests
        first: Floats | None = None
        try:
            self._guide.begin(
                request.call.notes, policy, request.controls, request.style, chords, request.seed
            )
            if not within:
                first = self._guide.first(self._pitch_classes)
        except ModelFault:
            self.faults += 1
        if within:
            first = self._following(self._guide)
        self._conditions.append(first)
        return first

    def apply(self) -> None:
        """Put the condition of the next note's phrase in force."""
        if self._guide is None or not self._conditions:
            return
        index = self.drawn // PHRASE_NOTES
        while index >= len(self._conditions):
            self._conditions.append(self._following(self._guide))
        self._session.begin_phrase(self._conditions[index])

    @property
    def _pitch_classes(self) -> Ints:
        return self._session.pitch_classes(KEY_NOTES)

    def _following(self, guide: PhraseGuide) -> Floats | None:
        try:
            return guide.following(self._plan.last_notes(PHRASE_NOTES), self._pitch_classes)
        except ModelFault:
            self.faults += 1
            return None

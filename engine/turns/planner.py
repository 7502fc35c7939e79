"""What the companion is about to play: notes drawn ahead, revocable until shortly before they sound."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from time import perf_counter_ns
from typing import Final

import numpy as np

from tatumflow.engine.arrays import Floats
from tatumflow.engine.clock import Clock
from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import ModelFault
from tatumflow.engine.harmony.chords import Chord
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.model.constraints import Constraints
from tatumflow.engine.model.sampling import Sampling
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.phrases.phrase_guide import PhraseGuide
from tatumflow.engine.phrases.policy import PhrasePolicy
from tatumflow.engine.ring import Ring
from tatumflow.engine.tempo.chart_clock import ChartInTime
from tatumflow.engine.turns.phrase import Phrase
from tatumflow.engine.turns.plan import Plan
from tatumflow.engine.turns.turn_phrases import TurnPhrases
from tatumflow.engine.turns.turn_window import TurnWindow

COMPANION_CHANNEL: Final = 0
"""Channel of the companion's notes at the scheduler."""

HORIZON: Final = 1.0
"""Seconds beyond the lookahead that the plan reaches."""

FAULT_LIMIT: Final = 3
"""Model faults in a row that end a turn."""

LATE_TOLERANCE: Final = 0.01
"""Seconds a planned note may be handed over late before the rest of the plan is delayed with it."""

RESUME_LEAD: Final = 0.03
"""Seconds ahead, at the least, at which a delayed plan goes on."""

REDRAW_LEAD: Final = 0.05
"""Seconds beyond the lookahead in which planned notes stay when the rest is drawn again: that takes time."""

_PLANNED_LIMIT: Final = 48
_RECENT: Final = 8
# Enough for a level, few enough to follow a crescendo.
_LEVEL_NOTES: Final = 16
# A wake-up at `onset - lookahead` must find the note due, though the sum rounds differently.
_ROUNDING: Final = 1e-9


class Planner:
    """Draws the notes of one turn after the other and hands them to the scheduler in time.

    Notes that were drawn but not handed over can be withdrawn; the session then stands where it stood before
    the first of them. A note that was drawn or handed over after its time does not sound late by itself: it
    and all that follow are delayed together, by enough for the rest to be in time again, since a delay of the
    whole is heard less than unevenness within it. The session hears the delayed onsets.

    Where a *feel* moves onsets, the notes sound there, and the session keeps them as they were drawn: what
    the model plays next follows from its own time.

    Attributes:
        note_cost: Seconds of computing per drawn note, the last 1,000.
        first_note_ms: Milliseconds of computing from the beginning of the turn to its first drawn note; None
            while there is none. Measured in real time, whatever the clock.
        failure: Why the model failed `FAULT_LIMIT` times in a row in this turn; empty if it did not.
        finished: Whether no further note will be drawn in this turn.
    """

    def __init__(
        self,
        session: ModelSession,
        scheduler: Scheduler,
        clock: Clock,
        guide: PhraseGuide | None = None,
    ) -> None:
        """Plan nothing yet.

        Args:
            session: The model's context.
            scheduler: Takes the notes.
            clock: The session's.
            guide: Gives the phrases their conditions; without one they have none.
        """
        self.note_cost = Ring()
        self.first_note_ms: float | None = None
        self.failure = ""
        self.finished = True
        self._session = session
        self._scheduler = scheduler
        self._clock = clock
        self._plan = Plan(session)
        self._plan.sounds = self._sound
        self._phrases = TurnPhrases(session, self._plan, guide)
        self._policy = PhrasePolicy()
        self._chart: ChartInTime | None = None
        self._call: tuple[Note, ...] = ()
        self._seed: Sequence[int] = (0,)
        self._begin_mark = session.mark()
        self._begun_ns = 0
        self._window = TurnWindow(0.0, 0.0, -inf)
        self._controls = Controls()
        self._sampling = Sampling()
        self._lookahead = 0.0
        self._style: Floats = np.zeros(0, np.float32)
        self._rng = np.random.default_rng(0)
        self._heard: tuple[int, ...] = ()
        self._velocity_target: float | None = None
        self._earliest: float | None = None
        self._felt: Callable[[float], float] | None = None
        self._faults = 0
        self._faults_in_a_row = 0
        self._sound_end = 0.0

    @property
    def planned(self) -> tuple[Note, ...]:
        """Notes that can still be withdrawn, by onset."""
        return self._plan.open_notes

    @property
    def notes(self) -> int:
        """Notes of this turn that were handed over and not taken back."""
        return self._plan.committed

    @property
    def first_onset(self) -> float | None:
        """Seconds of the turn's first note; None while there is none."""
        return self._plan.first_onset

    @property
    def previous_onset(self) -> float:
        """Seconds of the last onset in the session, whoever played it."""
        return self._plan.previous_onset

    @property
    def faults(self) -> int:
        """Notes skipped and phrases left without a condition because of the model, in all turns."""
        return self._faults + self._phrases.faults

    @property
    def done_at(self) -> float | None:
        """Seconds at which the turn ends; None while notes are still to be drawn or handed over."""
        if not self.finished or len(self._plan):
            return None
        return self._sound_end if self._window.ends_at is None else max(self._sound_end, self._window.ends_at)

    def begin(
        self,
        window: TurnWindow,
        phrase: Phrase,
        controls: Controls,
        style: Floats,
        *,
        previous_onset: float | None,
        seed: Sequence[int],
        policy: PhrasePolicy | None = None,
        chart: ChartInTime | None = None,
    ) -> None:
        """Begin a turn of the companion's.

        Args:
            window: When it begins and ends.
            phrase: What it replies to.
            controls: How to draw.
            style: Style weights, (S,).
            previous_onset: Seconds of the last onset of either player; None if there was none.
            seed: Seed of this turn's chance.
            policy: What its phrases are made of.
            chart: The chords it is played over.
        """
        self._begun_ns = perf_counter_ns()
        self.first_note_ms = None
        self.failure = ""
        self.finished = False
        self._faults_in_a_row = 0
        self._window = window
        self._earliest = self._sound_end = window.earliest
        self._heard = tuple(note.pitch for note in reversed(phrase.notes[-_RECENT:]))
        velocities = [note.velocity for note in phrase.notes]
        self._velocity_target = sum(velocities) / len(velocities) if velocities else None
        self._rng = np.random.default_rng(seed)
        self._use(controls)
        self._plan.begin(window.earliest if previous_onset is None else previous_onset)
        self._begin_mark = self._session.mark()
        self._style = style
        self._policy, self._chart = policy or PhrasePolicy(), chart
        self._call, self._seed = phrase.notes, seed
        self._session.begin_turn(Role.COMPANION, style, self._begin_phrase())

    def abandon(self) -> None:
        """Take the whole turn back, nothing of which was handed over: the session never heard of it."""
        self.finished = True
        self._plan.begin(self._plan.previous_onset)
        self._session.rollback(self._begin_mark)

    def steer(
        self,
        controls: Controls,
        style: Floats,
        *,
        window: TurnWindow | None = None,
        seed: Sequence[int] | None = None,
        policy: PhrasePolicy | None = None,
        chart: ChartInTime | None = None,
    ) -> None:
        """Withdraw what can be withdrawn and go on under new controls and style.

        Args:
            controls: How to draw.
            style: Style weights, (S,).
            window: When the turn ends; None leaves it.
            seed: Seed of the turn's chance from here on; None leaves it.
            policy: What its phrases are made of; None leaves it.
            chart: The chords it is played over from here on.
        """
        self._use(controls)
        self._window = window or self._window
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        if not self._withdraw_later(new_end=window is not None):
            return
        self._policy, self._chart = policy or self._policy, chart
        self._seed = self._seed if seed is None else seed
        changed = not np.array_equal(style, self._style)
        self._style = style
        condition = self._begin_phrase()
        if changed:
            self._session.begin_turn(Role.COMPANION, style, condition)
        else:
            self._session.begin_phrase(condition)

    def resample(self, controls: Controls) -> None:
        """Withdraw what can be withdrawn and draw it again under new controls, its phrases as they were.

        For controls that say how notes are sampled and not what the phrase is conditioned on.
        """
        self._use(controls)
        self._withdraw_later()

    def use_controls(self, controls: Controls) -> None:
        """Draw the notes to come under new controls; what is planned stays."""
        self._use(controls)

    def use_lookahead(self, seconds: float) -> None:
        """Hand notes over this long before they sound; what is planned stays."""
        self._lookahead = seconds

    def use_guide(self, guide: PhraseGuide | None) -> None:
        """Take the conditions of the phrases from another guide, from the next turn on."""
        self._phrases.use(guide)

    def use_feel(self, felt: Callable[[float], float] | None) -> None:
        """Let notes sound elsewhere than they are drawn, those that can still be withdrawn too.

        Args:
            felt: Gives the seconds at which an onset sounds, and keeps the order of onsets; None leaves all.
        """
        self._felt = felt
        self._plan.sound_anew()

    def hold_to(self, ends_at: float) -> None:
        """Move the end of a turn that is held to bars: the clock has told its bar line more exactly."""
        if self._window.ends_at is not None:
            later = ends_at - self._window.ends_at
            self._window = replace(self._window, ends_at=ends_at, last_onset=self._window.last_onset + later)

    def make_room(self) -> None:
        """Withdraw what can be withdrawn, so that the session can take a note of the other player's.

        Drawing goes on after it; see `heard`.
        """
        if self._plan.next_onset is not None:
            self._earliest = max(self._window.earliest, self._clock.now() + RESUME_LEAD)
            self.finished = False
        self.withdraw(-inf)

    def heard(self, onset: float) -> None:
        """Take note that the session has heard the other player's note at `onset` seconds meanwhile."""
        self._plan.hear(onset)

    def extend(self, now: float, horizon: float = HORIZON) -> bool:
        """Draw one note if the plan does not reach `now` + lookahead + `horizon`.

        Returns:
            Whether there is more to draw at once.
        """
        if not self._wants_more(now, horizon):
            return False
        started_ns = perf_counter_ns()
        self._phrases.tell()
        plan, window, mark = self._plan, self._window, self._session.mark()
        try:
            note = self._session.next_note(
                self._sampling,
                self._constraints(),
                self._rng,
                previous_onset=plan.previous_onset,
                earliest=self._earliest,
            )
        except ModelFault as fault:
            self._count_fault(fault)
            return not self.finished
        self._faults_in_a_row = 0
        first, onset = plan.first_onset is None, self._within_window(note.onset)
        if window.ends_before(onset, None if first else plan.previous_onset) or self._falls_behind(
            note, onset
        ):
            self._session.rollback(mark)
            self.finished = True
            return False
        if onset < (drawn_at := self._clock.now()):
            onset = drawn_at + self._resume_lead
        plan.append(note, mark, onset)
        self._earliest = None
        ended_ns = perf_counter_ns()
        self.note_cost.add((ended_ns - started_ns) * 1e-9)
        if first:
            self.first_note_ms = (ended_ns - self._begun_ns) * 1e-6
        return self._wants_more(now, horizon)

    def commit(self, now: float) -> list[Note]:
        """Hand the notes that begin before `now` + lookahead to the scheduler, and return them."""
        onset = self._plan.next_onset
        if onset is not None and onset < now - LATE_TOLERANCE:
            self._plan.delay(now + self._resume_lead - onset)
        notes = self._plan.commit(now + self._lookahead + _ROUNDING)
        for note in notes:
            self._scheduler.note(note, COMPANION_CHANNEL)
            self._sound_end = max(self._sound_end, note.offset)
        return notes

    def next_wake(self, horizon: float = HORIZON) -> float | None:
        """Return when there is next something to draw or to hand over, or when the turn ends."""
        times: list[float] = []
        if (onset := self._plan.next_onset) is not None:
            times.append(onset - self._lookahead)
        if not self.finished and len(self._plan) < _PLANNED_LIMIT:
            times.append(self._plan.previous_onset - self._lookahead - horizon)
        if (done_at := self.done_at) is not None:
            times.append(done_at)
        return min(times, default=None)

    def withdraw(self, onset_from: float) -> None:
        """Drop the planned notes that start at `onset_from` seconds or later."""
        self._plan.withdraw(onset_from)

    def cut(self, now: float) -> tuple[Note, ...]:
        """End the turn at once: nothing more is drawn, what sounds is closed, what waits is withdrawn.

        The session keeps the notes that sounded, with the durations they had.

        Returns:
            Notes that had been handed over but did not sound.
        """
        unsounded = self._scheduler.release_all(COMPANION_CHANNEL)
        self._plan.cut(now, set(unsounded))
        self.finished = True
        self._sound_end = now
        return unsounded

    def _withdraw_later(self, *, new_end: bool = False) -> bool:
        """Withdraw the planned notes that can be drawn again before they are due.

        Args:
            new_end: Whether the turn goes on even if all its notes are drawn.

        Returns:
            Whether the turn goes on: notes are still to be drawn.
        """
        if self.finished and not len(self._plan):
            return False
        now, before = self._clock.now(), len(self._plan)
        kept_until = now + self._lookahead + REDRAW_LEAD
        self.withdraw(kept_until)
        if self.finished and len(self._plan) == before and not new_end:
            return False
        self.finished = False
        if self.first_onset is None:
            self._earliest = max(self._window.earliest, now + RESUME_LEAD)
        else:
            # No note was planned from the last one that stays until then, so that drawing on from there does
            # not make notes denser, however often it is done.
            self._earliest = kept_until
        return True

    def _begin_phrase(self) -> Floats | None:
        """Return the condition of the phrase that begins now, over the chords of the chart."""
        self._session.follow_chords(None if self._chart is None else self._chart.chord_id_at)
        return self._phrases.begin(
            self._call, self._policy, self._controls, self._style, self._upcoming(), self._seed
        )

    def _within_window(self, onset: float) -> float:
        """Return an onset brought in from beyond the latest first one, or from behind too long a rest."""
        previous_onset, window = self._plan.previous_onset, self._window
        if self._plan.first_onset is None:
            onset = min(onset, max(window.latest_first, self._earliest or -inf))
            return onset if window.ends_at is None else max(onset, window.earliest)
        return previous_onset + window.longest_rest if onset - previous_onset > window.longest_rest else onset

    def _upcoming(self) -> tuple[Chord, ...]:
        if self._chart is None:
            return ()
        start = max(self._clock.now(), self._window.earliest)
        return self._chart.upcoming(start, max(self._window.rest_from - start, 0.0) if self._call else 0.0)

    @property
    def _resume_lead(self) -> float:
        return max(self._lookahead, RESUME_LEAD)

    def _use(self, controls: Controls) -> None:
        self._controls = controls
        self._lookahead = controls.lookahead
        self._sampling = Sampling(controls.temperature, controls.top_k, controls.top_p, controls.min_p)

    def _wants_more(self, now: float, horizon: float) -> bool:
        if self.finished or len(self._plan) >= _PLANNED_LIMIT:
            return False
        return self._plan.previous_onset <= now + self._lookahead + horizon + _ROUNDING

    def _constraints(self) -> Constraints:
        recent = self._plan.recent_pitches(_RECENT)
        target = self._velocity_target
        if target is not None and "dynamics" in self._policy.asks:
            # To follow the human's velocities as they are would undo what the player asks for.
            target += self._controls.dynamics
        return Constraints.of(
            self._controls,
            sounding=self._plan.sounding(),
            recent=(recent + self._heard)[:_RECENT],
            velocity_target=target,
            velocity_level=self._velocity_level(),
        )

    def _velocity_level(self) -> float:
        """Return the mean velocity of the last notes of both players, 0 without any."""
        played = self._plan.last_notes(_LEVEL_NOTES)
        notes = (*self._call[len(self._call) - _LEVEL_NOTES + len(played) :], *played)
        return sum(note.velocity for note in notes) / len(notes) if notes else 0.0

    def _sound(self, note: Note) -> Note:
        """Return how a note sounds: moved by the feel as far as there is time to, ended with the turn."""
        onset, ends_at = note.onset, self._window.ends_at
        if self._felt is not None:
            # What is drawn forward must still reach the scheduler in time.
            soonest = min(onset, self._clock.now() + self._lookahead)
            onset = max(self._felt(onset), soonest)
        if ends_at is not None and onset + note.duration > ends_at > onset:
            return replace(note, onset=onset, duration=ends_at - onset)
        return note if onset == note.onset else replace(note, onset=onset)

    def _falls_behind(self, note: Note, onset: float) -> bool:
        """Return whether the feel takes a note at `onset` out of a turn that is held to bars."""
        if self._felt is None or self._window.ends_at is None:
            return False
        return self._sound(replace(note, onset=onset)).onset > self._window.last_onset

    def _count_fault(self, fault: ModelFault) -> None:
        self._faults += 1
        self._faults_in_a_row += 1
        if self._faults_in_a_row >= FAULT_LIMIT:
            self.failure = str(fault)
            self.finished = True

"""The planner: the companion's notes, sampled ahead and revocable until shortly before they sound."""

from collections.abc import Callable
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
from tatumflow.engine.model.sampling import Sampling
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.phrases.phrase_guide import PhraseGuide
from tatumflow.engine.ring import Ring
from tatumflow.engine.turns.lead_in import put_lead_in
from tatumflow.engine.turns.phrase import Phrase
from tatumflow.engine.turns.plan import REMEMBERED, Plan
from tatumflow.engine.turns.takes import Takes
from tatumflow.engine.turns.turn_constraints import TurnConstraints
from tatumflow.engine.turns.turn_phrases import TurnPhrases
from tatumflow.engine.turns.turn_request import TurnRequest
from tatumflow.engine.turns.turn_window import TurnWindow

COMPANION_CHANNEL: Final = 0
"""Scheduler channel of the companion's notes."""

HORIZON: Final = 1.0
"""Seconds beyond the lookahead up to which notes are planned."""

FAULT_LIMIT: Final = 3
"""Model faults in a row that end a turn."""

LATE_TOLERANCE: Final = 0.01
"""Seconds that a planned note may be committed late before the rest of the plan is delayed with it."""

RESUME_LEAD: Final = 0.03
"""Shortest lead in seconds with which a delayed plan goes on."""

REDRAW_LEAD: Final = 0.05
"""Seconds beyond the lookahead in which planned notes stay while the rest is sampled again."""

_PLANNED_LIMIT: Final = 48
# A wake-up at `onset - lookahead` must find the note due, though the sum rounds differently.
_ROUNDING: Final = 1e-9
_NO_TURN: Final = TurnRequest(
    Phrase((), 0.0, 0.0, 0.0), TurnWindow(0.0, 0.0, -inf), Controls(), np.zeros(0, np.float32), (0,)
)


class Planner:
    """Samples the notes of a turn ahead and commits them to the scheduler in time.

    Planned notes can be withdrawn until they are committed; the session is then rolled back to the state
    before the first of them. A note that was sampled or committed after its time does not sound late by
    itself: it and all that follow are delayed together, by enough for the rest to be in time again, since a
    delay of the whole is less audible than unevenness within it. The session has the delayed onsets.

    Where a *feel* moves onsets, the notes sound there, and the session keeps them as they were sampled: what
    the model plays next follows from its own timing.

    Attributes:
        note_cost: Seconds of computing per sampled note, the last 1,000.
        first_note_ms: Milliseconds of computing from the beginning of the turn to its first planned note;
            None while there is none. Measured in real time, whatever the clock.
        failure: Why the model failed `FAULT_LIMIT` times in a row in this turn; empty if it did not.
        finished: Whether no further note of this turn will be sampled.
    """

    def __init__(
        self, session: ModelSession, scheduler: Scheduler, clock: Clock, guide: PhraseGuide | None = None
    ) -> None:
        """Plan nothing yet.

        Args:
            session: The model's context.
            scheduler: Sends the committed notes.
            clock: The session's.
            guide: Samples the conditions of phrases; without one they have none.
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
        self._takes = Takes(session, self._plan, self._phrases)
        self._constraints = TurnConstraints(self._plan)
        self._felt: Callable[[float], float] | None = None
        self._rng = np.random.default_rng(0)
        self._begin_mark = session.mark()
        self._begun_ns = 0
        self._earliest: float | None = None
        self._sound_end = 0.0
        self._faults = 0
        self._faults_in_a_row = 0
        self._use(_NO_TURN)

    @property
    def request(self) -> TurnRequest:
        """Request of the turn in progress, or of the last one."""
        return self._request

    @property
    def planned(self) -> tuple[Note, ...]:
        """Notes that can still be withdrawn, by onset."""
        return self._plan.planned_notes

    @property
    def last_notes(self) -> tuple[Note, ...]:
        """The last notes of this turn by onset, up to 64, as they were sampled and with the ends they had."""
        return self._plan.last_notes(REMEMBERED)

    @property
    def notes(self) -> int:
        """Number of notes of this turn committed and not withdrawn since."""
        return self._plan.committed

    @property
    def mean_takes(self) -> float | None:
        """From how many takes the notes of this turn were chosen, on average; None before a choice."""
        return self._takes.mean

    @property
    def first_onset(self) -> float | None:
        """Seconds of the turn's first note; None while there is none."""
        return self._plan.first_onset

    @property
    def previous_onset(self) -> float:
        """Seconds of the last onset in the session, of either player."""
        return self._plan.previous_onset

    @property
    def faults(self) -> int:
        """Notes skipped and phrases left without a condition because the model failed, in all turns."""
        return self._faults + self._phrases.faults

    @property
    def done_at(self) -> float | None:
        """Seconds at which the turn ends; None while notes are still to be sampled or committed."""
        if not self.finished or len(self._plan):
            return None
        ends_at = self._request.window.ends_at
        return self._sound_end if ends_at is None else max(self._sound_end, ends_at)

    def begin(self, request: TurnRequest, begun_ns: int | None = None) -> None:
        """Begin a turn of the companion's, whose request was begun at `begun_ns` of `perf_counter_ns`."""
        self._begun_ns = perf_counter_ns() if begun_ns is None else begun_ns
        self.first_note_ms = None
        self.failure = ""
        self.finished = False
        self._faults_in_a_row = 0
        self._use(request)
        earliest, previous_onset = request.window.earliest, request.previous_onset
        self._earliest = self._sound_end = earliest
        self._constraints = TurnConstraints(self._plan, request.call.notes)
        self._rng = np.random.default_rng(request.seed)
        self._plan.begin(earliest if previous_onset is None else previous_onset)
        self._takes.begin_turn(request.seed)
        self._begin_mark = self._session.mark()
        if request.chart is not None and request.polyphony == 1:
            put_lead_in(self._session, request.chart, request.controls, request.style, request.seed, earliest)
        self._session.begin_turn(Role.COMPANION, request.style, self._begin_phrase())

    def abandon(self) -> None:
        """Roll the session back to before a turn of which nothing was committed."""
        self._takes.drop()
        self.finished = True
        self._plan.begin(self._plan.previous_onset)
        self._session.rollback(self._begin_mark)

    def steer(self, request: TurnRequest, *, new_window: bool = False, reseed: bool = False) -> None:
        """Withdraw what can be withdrawn and go on under a changed request.

        Args:
            request: The request in force with other controls, style, policy, chart, window or seed.
            new_window: Whether its window is new, so that a turn already planned to its end goes on.
            reseed: Whether the random generator begins again with its seed.
        """
        before = self._request
        self._use(replace(before, controls=request.controls, window=request.window))
        if reseed:
            self._rng = np.random.default_rng(request.seed)
        if not self._withdraw_later(new_window=new_window):
            return
        self._use(request)
        condition = self._begin_phrase()
        if np.array_equal(request.style, before.style):
            self._session.begin_phrase(condition)
        else:
            self._session.begin_turn(Role.COMPANION, request.style, condition)

    def resample(self, controls: Controls) -> None:
        """Withdraw what can be withdrawn and sample it again under new controls, with the same conditions.

        For controls of sampling, which no phrase is conditioned on.
        """
        self.use_controls(controls)
        self._withdraw_later()

    def use_controls(self, controls: Controls) -> None:
        """Sample further notes under new controls; planned notes stay."""
        self._use(replace(self._request, controls=controls))

    def use_lookahead(self, seconds: float) -> None:
        """Commit notes this long before they sound; planned notes stay."""
        self._lookahead = seconds

    def use_guide(self, guide: PhraseGuide | None) -> None:
        """Sample the conditions of phrases with another guide, from the next turn on."""
        self._phrases.use_guide(guide)

    def use_feel(self, felt: Callable[[float], float] | None) -> None:
        """Move the onsets at which notes sound, those of planned notes too.

        `felt` maps an onset to the seconds at which it sounds, in the same order; None for no feel.
        """
        self._felt = felt
        self._plan.sound_anew()

    def hold_to(self, ends_at: float) -> None:
        """Move the end of a turn held to bars to its bar line as the clock has it now, in seconds."""
        window = self._request.window
        if window.ends_at is not None and window.ends_at != ends_at:
            last_onset = window.last_onset + (ends_at - window.ends_at)
            window = replace(window, ends_at=ends_at, last_onset=last_onset)
            self._request = replace(self._request, window=window)

    def make_room(self) -> None:
        """Withdraw what can be withdrawn before the session gets a note of the human's; see `go_on_after`."""
        self._takes.drop()
        if self._plan.next_onset is not None:
            self._earliest = max(self._request.window.earliest, self._clock.now() + RESUME_LEAD)
            self.finished = False
        self.withdraw(-inf)

    def go_on_after(self, onset: float) -> None:
        """Go on after a note of the human's at `onset` seconds, which the session has now."""
        self._plan.count_from(onset)

    def extend(self, now: float, horizon: float = HORIZON) -> bool:
        """Plan one note, of the opening or a sampled one, if the plan does not reach so far.

        It reaches `now` + lookahead + `horizon`.

        Returns:
            Whether there is more to plan at once.
        """
        if not self._falls_short(now, horizon):
            return False
        started_ns = perf_counter_ns()
        if self._earliest is None and self._plan.previous_onset >= self._request.opening.ends_at:
            self._takes.begin(self._request, now)
        self._phrases.apply()
        plan, window, mark = self._plan, self._request.window, self._session.mark()
        given = self._given()
        if given is None and window.last_onset < self._request.opening.ends_at:
            self.finished = True
            return False
        try:
            note = self._sampled() if given is None else given
        except ModelFault as fault:
            self._count_fault(fault)
            return not self.finished
        first = plan.first_onset is None
        onset = self._within_window(note.onset) if given is None else note.onset
        ends = window.ends_before(onset, None if first else plan.previous_onset)
        if ends or self._falls_behind(note, onset):
            self._session.rollback(mark)
            self.finished = self._takes.go_on(self._clock.now(), finished=True)
            return self._falls_short(now, horizon)
        if onset < (sampled_at := self._clock.now()):
            onset = sampled_at + self._resume_lead
        plan.append(note, mark, onset)
        self._earliest = None
        ended_ns = perf_counter_ns()
        if given is None:
            self.note_cost.add((ended_ns - started_ns) * 1e-9)
        if first:
            self.first_note_ms = (ended_ns - self._begun_ns) * 1e-6
        self.finished = self._takes.go_on(sampled_at, finished=False)
        return self._falls_short(now, horizon)

    def _given(self) -> Note | None:
        """Add the next note of the opening to the session and return it; None where there is none left."""
        opening, earliest = self._request.opening, self._earliest
        note = opening.following(
            self._plan.previous_onset, -inf if earliest is None else earliest, self._request.controls
        )
        if note is not None:
            self._session.add(note, Role.COMPANION)
        return note

    def _sampled(self) -> Note:
        """Sample a note, which the session has then; after an opening none before its end."""
        plan, earliest, opening_end = self._plan, self._earliest, self._request.opening.ends_at
        if plan.previous_onset < opening_end:
            earliest = opening_end if earliest is None else max(earliest, opening_end)
        note = self._session.next_note(
            self._sampling,
            self._constraints.following(self._request),
            self._rng,
            previous_onset=plan.previous_onset,
            earliest=earliest,
        )
        self._faults_in_a_row = 0
        return note

    def commit(self, now: float) -> list[Note]:
        """Schedule the notes that begin before `now` + lookahead, and return them."""
        onset = self._plan.next_onset
        if onset is not None and onset < now - LATE_TOLERANCE:
            self._takes.drop()
            self._plan.delay(now + self._resume_lead - onset)
        notes = self._plan.commit(now + self._lookahead + _ROUNDING)
        for note in notes:
            self._scheduler.note(note, COMPANION_CHANNEL)
            self._sound_end = max(self._sound_end, note.offset)
        return notes

    def next_wake(self, horizon: float = HORIZON) -> float | None:
        """Return the seconds at which a note is next to be sampled or committed, or the turn ends."""
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
        self._takes.drop()
        self._plan.withdraw(onset_from)

    def cut(self, now: float) -> tuple[Note, ...]:
        """End the turn at once: close what sounds, and withdraw planned and committed notes.

        The session keeps the notes that sounded, with the durations they had.

        Returns:
            Committed notes that did not sound.
        """
        self._takes.drop()
        unsounded = self._scheduler.release_all(COMPANION_CHANNEL)
        self._plan.cut(now, set(unsounded))
        self.finished = True
        self._sound_end = now
        return unsounded

    def _withdraw_later(self, *, new_window: bool = False) -> bool:
        """Withdraw the planned notes that can be sampled again before they are due.

        Args:
            new_window: Whether the turn goes on even if all its notes are planned.

        Returns:
            Whether the turn goes on: notes are still to be sampled.
        """
        self._takes.drop()
        if self.finished and not len(self._plan):
            return False
        now, before = self._clock.now(), len(self._plan)
        kept_until = now + self._lookahead + REDRAW_LEAD
        self.withdraw(kept_until)
        if self.finished and len(self._plan) == before and not new_window:
            return False
        self.finished = False
        if self.first_onset is None:
            self._earliest = max(self._request.window.earliest, now + RESUME_LEAD)
        else:
            # No note was planned between the last one that stays and this time; sampling from here on does
            # not make notes denser, however often it is repeated.
            self._earliest = kept_until
        return True

    def _begin_phrase(self) -> Floats | None:
        """Return the condition of the phrase that begins now, over the chords of the request."""
        self._session.follow_chords(self._request.chord_at)
        return self._phrases.begin(self._request, self._upcoming())

    def _within_window(self, onset: float) -> float:
        """Return an onset no later than the latest first one, and after no longer rest than the longest."""
        previous_onset, window = self._plan.previous_onset, self._request.window
        if self._plan.first_onset is None:
            onset = min(onset, max(window.latest_first, self._earliest or -inf))
            return onset if window.ends_at is None else max(onset, window.earliest)
        since = max(previous_onset, self._request.opening.ends_at)
        return since + window.longest_rest if onset - since > window.longest_rest else onset

    def _upcoming(self) -> tuple[Chord, ...]:
        request, window = self._request, self._request.window
        if request.chart is None:
            return ()
        start = max(self._clock.now(), window.earliest)
        seconds = max(window.rest_from - start, 0.0) if request.call.notes else 0.0
        return request.chart.upcoming(start, seconds)

    @property
    def _resume_lead(self) -> float:
        return max(self._lookahead, RESUME_LEAD)

    def _use(self, request: TurnRequest) -> None:
        self._request, controls = request, request.controls
        self._lookahead = controls.lookahead
        self._sampling = Sampling(
            controls.temperature, controls.top_k, controls.top_p, controls.min_p, controls.pocket
        )

    def _falls_short(self, now: float, horizon: float) -> bool:
        if self._takes.active:
            return True
        if self.finished or len(self._plan) >= _PLANNED_LIMIT:
            return False
        return self._plan.previous_onset <= now + self._lookahead + horizon + _ROUNDING

    def _sound(self, note: Note) -> Note:
        """Return a note as it sounds: moved by the feel as far as there is time to, ended with the turn."""
        onset, ends_at = note.onset, self._request.window.ends_at
        if self._felt is not None:
            # A note that is moved earlier must still reach the scheduler in time.
            soonest = min(onset, self._clock.now() + self._lookahead)
            onset = max(self._felt(onset), soonest)
        if ends_at is not None and onset + note.duration > ends_at > onset:
            return replace(note, onset=onset, duration=ends_at - onset)
        return note if onset == note.onset else replace(note, onset=onset)

    def _falls_behind(self, note: Note, onset: float) -> bool:
        """Return whether the feel moves a note at `onset` out of a turn held to bars."""
        window = self._request.window
        if self._felt is None or window.ends_at is None:
            return False
        return self._sound(replace(note, onset=onset)).onset > window.last_onset

    def _count_fault(self, fault: ModelFault) -> None:
        self._takes.drop()
        self._faults += 1
        self._faults_in_a_row += 1
        if self._faults_in_a_row >= FAULT_LIMIT:
            self.failure = str(fault)
            self.finished = True

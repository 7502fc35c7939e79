"""One stream through the model: notes in as they happen, notes out one by one, all of it revocable."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.errors import ModelFault
from tatumflow.engine.harmony.chords import NO_CHORD
from tatumflow.engine.midi.notes import Note, Role, fold_pitch
from tatumflow.engine.model.constraints import (
    Constraints,
    constrain_pitch,
    constrain_time_shift,
    constrain_velocity,
    not_before,
)
from tatumflow.engine.model.decoder import Decoder, DecoderInput
from tatumflow.engine.model.kv_cache import KVCache
from tatumflow.engine.model.metre import NO_METRE
from tatumflow.engine.model.rope import RotaryAngles
from tatumflow.engine.model.sampling import Sampling, choose, choose_pitch
from tatumflow.engine.model.step_record import Mark, StepRecord
from tatumflow.engine.model.tick_clock import TickClock
from tatumflow.engine.model.tokens import (
    DURATION,
    FIELD_SIZES,
    FIELDS,
    HELD,
    PITCH,
    TICK_SECONDS,
    TIME_SHIFT,
    TIME_SHIFT_TICKS,
    VELOCITY,
    NoteTokens,
    decode_note,
    duration_index,
    to_ticks,
    velocity_index,
)
from tatumflow.engine.tempo.beat_clock import Beats

LONGEST_NOTE: Final = 10.0
"""Seconds that a note of the companion's lasts at most, in tempo too."""

EAGER_REFEED: Final = 24
"""Steps back within which a correction is fed again at once."""

RETOLD_STEPS: Final = 256
"""Steps that another model is told of what was played before it."""


class ModelSession:
    """The context of one model and the notes drawn from it.

    Calls that add or correct notes only change the record of steps; `sync` feeds what the cache lacks, in
    batches. The context starts with a turn step: a note that comes first brings one for its player.

    Onsets are seconds on one clock. A note before the last one's tick counts as together with it. Pitches
    off the piano's keys are moved by octaves onto them. A pitch struck again while held ends there.

    A correction of a note more than `eager_refeed` steps back waits for `settle`, `turn` or `next_note`, so
    that listening stays cheap. One further back than `max(eager_refeed, cache_rows - window)` steps by then
    leaves the cache as it is: to rebuild it would cost more than it tells.

    Where the model cannot take in as many steps as the record holds, they are forgotten and the context
    begins anew.

    Same calls, same generator: same notes, bit for bit.
    """

    def __init__(self, decoder: Decoder, *, eager_refeed: int = EAGER_REFEED) -> None:
        """Start with an empty context of `decoder`."""
        self._eager_refeed = eager_refeed
        self._open(decoder)
        self._known = np.zeros((1, len(FIELD_SIZES)), np.int64)
        self._next_chord = np.zeros(1, np.int64)
        self._metre = np.array([NO_METRE], np.int64)
        self._chord_at: Callable[[float], int] = _no_chords
        self._ticks = TickClock()
        self._role = Role.HUMAN
        self._style: Floats = self._no_style
        self._phrase: Floats = self._no_phrase
        self._deferred: int | None = None
        self._lost_before = 0

    def _open(self, decoder: Decoder) -> None:
        """Make an empty cache and an empty record for a model."""
        shape = decoder.shape
        self._decoder = decoder
        self._deepest_refeed = max(self._eager_refeed, shape.cache_rows - shape.window)
        self._cache = KVCache(shape)
        self._record = StepRecord(shape.cache_rows, shape.num_styles, shape.phrase_dim)
        self._angles = RotaryAngles(shape.head_dim, shape.rope_base, self._cache.max_steps)
        self._states = np.zeros((shape.cache_rows, shape.hidden_dim), np.float32)
        self._no_style = np.zeros(shape.num_styles, np.float32)
        self._no_style[0] = 1.0
        self._no_phrase = np.zeros(shape.phrase_dim, np.float32)

    @property
    def steps(self) -> int:
        """Return how many steps the context has had since it was empty, turn steps included."""
        return self._record.total

    @property
    def pending(self) -> int:
        """Return how many steps `sync` has to feed."""
        return self._record.total - self._cache.length

    def pitch_classes(self, notes: int) -> Ints:
        """Return how often each pitch class sounds in the last `notes` notes of both players, (12,)."""
        return self._record.pitch_classes(notes)

    def reset(self) -> None:
        """Empty the context; no style and no phrase condition is in force, the chords stay."""
        self._record.reset()
        self._cache.reset()
        self._role, self._style, self._phrase = Role.HUMAN, self._no_style, self._no_phrase
        self._deferred = None

    def use(self, decoder: Decoder, style: Floats) -> None:
        """Go on with another model, which is fed the last `RETOLD_STEPS` steps anew; chords and turn stay.

        Marks from before lead nowhere any more.

        Args:
            decoder: The other model.
            style: Weights over its style table, (S,), in force for what the companion has played and plays.
        """
        heard = self._record
        self._open(decoder)
        self._record.retell(heard, style, min(RETOLD_STEPS, self._record.capacity // 2))
        self._style, self._phrase = np.array(style, np.float32), self._no_phrase
        self._deferred, self._lost_before = None, 0

    def follow_chords(self, chord_at: Callable[[float], int] | None) -> None:
        """Take the chords that the next notes lie on from a chart.

        Args:
            chord_at: Gives the chord id in force at a time in seconds, 0 for none; None for no chart.
        """
        self._chord_at = chord_at or _no_chords

    def follow_beats(self, beats: Beats | None, beats_per_bar: int = 4) -> None:
        """Hear and play the next notes by a beat, if the model reads metrical places.

        Args:
            beats: Where the beats are; beat 0 is a downbeat. None for free time.
            beats_per_bar: At least 1.
        """
        self._ticks.follow(beats if self._decoder.shape.metre else None, beats_per_bar)

    def turn(self, role: Role, style: Floats, phrase: Floats | None = None) -> None:
        """Append a turn step: `role` plays from here on.

        Args:
            role: Who plays. A human turn step itself has no style and no phrase condition.
            style: Weights over the style table, (S,), in force from here for what the companion plays.
            phrase: Phrase condition, (P,), in force from here for what the companion plays; None for none.
        """
        self.settle()
        self._make_room()
        self._role, self._style = role, np.array(style, np.float32)
        self._phrase = self._no_phrase if phrase is None else np.array(phrase, np.float32)
        last = self._record.last_onset
        metre = NO_METRE if last is None else self._ticks.metre(last)
        self._record.append_turn(role, self._style_of(role), self._phrase_of(role), metre)

    def begin_phrase(self, phrase: Floats | None) -> None:
        """Put another phrase condition, (P,), in force for the companion's notes from the next one on.

        The last step is fed again: it is the one that predicts the phrase's first note.
        """
        self._phrase = self._no_phrase if phrase is None else np.array(phrase, np.float32)
        last = self._record.total - 1
        if last >= 0 and self._record.tell_phrase(last, self._phrase):
            self._feed_again(last)

    def note_on(self, onset: float, pitch: int, velocity: int) -> None:
        """Add a note of the human whose key is down: its duration is held until `note_off`."""
        pitch = fold_pitch(pitch)
        self._end(onset, pitch)
        self._insert(onset, pitch, velocity, HELD, Role.HUMAN)

    def note_off(self, onset_of_off: float, pitch: int) -> None:
        """Correct the duration of a held note; without one, nothing happens."""
        self._end(onset_of_off, fold_pitch(pitch))

    def add(self, note: Note, role: Role) -> None:
        """Add a finished note of either player."""
        pitch = fold_pitch(note.pitch)
        if role is Role.HUMAN:
            self._end(note.onset, pitch)
        self._insert(note.onset, pitch, note.velocity, self._duration(note.onset, note.duration), role)

    def sync(self, limit: int | None = None) -> int:
        """Feed pending steps, at most `limit` of them, in as few calls as the cache allows.

        Returns:
            Steps still pending.

        Raises:
            ModelFault: if the model's output is not finite; those steps stay pending.
        """
        cache, record = self._cache, self._record
        left = self.pending if limit is None else min(limit, self.pending)
        while left > 0:
            start = cache.length % record.capacity
            steps = min(left, cache.max_steps, record.capacity - start)
            rows = slice(start, start + steps)
            cos, sin = self._angles.rows(cache.length, steps)
            output = self._decoder.decode(
                DecoderInput(
                    record.fields[rows],
                    record.role[rows],
                    record.style[rows],
                    record.chord[rows],
                    record.metre[rows],
                    record.phrase[rows],
                    cos,
                    sin,
                    cache.bias(cache.length, steps),
                    cache.keys,
                    cache.values,
                )
            )
            # A row that is not finite would spoil every later step, behind the bias too: 0 times NaN is NaN.
            if not all(np.isfinite(array).all() for array in output):
                raise ModelFault(f"model: states of step {cache.length} are not finite; try another model")
            self._states[rows] = output.hidden
            cache.append(output.key, output.value)
            left -= steps
        return self.pending

    def settle(self) -> None:
        """Let corrections that waited take effect with the next `sync`."""
        if self._deferred is None:
            return
        deepest = max(self._record.total - self._deepest_refeed, self._cache.exact_from)
        self._feed_again(max(self._deferred, deepest))
        self._deferred = None

    def mark(self) -> Mark:
        """Return the present place."""
        return Mark(self._record.total, self._record.arrivals, self._role, self._style, self._phrase)

    def rollback(self, mark: Mark) -> None:
        """Drop the steps that arrived since `mark`, as if never fed; no step is fed again.

        Durations of earlier notes corrected since stay corrected. A mark whose last step the record of
        `cache_rows` steps has lost, or whose steps the model could not take in, leaves an empty context in
        the turn that was in force.

        Raises:
            ValueError: if the session was rolled back beyond the mark, or reset, since.
        """
        lost = mark.steps > 0 and mark.arrivals <= self._lost_before
        if lost or mark.steps <= self._record.oldest > 0:
            self.reset()
            if mark.steps:
                self.turn(mark.role, mark.style, mark.phrase)
            return
        first = self._record.restore(mark)
        self._role, self._style, self._phrase = mark.role, mark.style, mark.phrase
        last = mark.steps - 1
        if last >= 0 and self._record.tell_phrase(last, self._phrase):
            first = min(first, last)
        self._feed_again(first)

    def next_note(
        self,
        sampling: Sampling,
        constraints: Constraints,
        rng: np.random.Generator,
        *,
        previous_onset: float,
        earliest: float | None = None,
    ) -> Note:
        """Draw the companion's next note and append it, in the style in force.

        Takes four numbers from `rng`, whatever happens after.

        Args:
            sampling: How to choose.
            constraints: What holds.
            rng: Source of chance.
            previous_onset: Seconds at which the note before started, either player's.
            earliest: Seconds before which the note may not start. Where the longest time shift does not
                reach it, the note starts then.

        Raises:
            ModelFault: if the model's output is not finite; no note is appended.
        """
        uniform = rng.random(len(FIELD_SIZES))
        self.settle()
        if not self._record.total:
            self.turn(Role.COMPANION, self._style, self._phrase)
        self.sync()
        slot = (self._record.total - 1) % self._record.capacity
        hidden, known = self._states[slot : slot + 1], self._known[0]

        bound = not_before(constraints, earliest)
        previous_pitch = self._record.last_pitch
        # Of the grid's seconds, which are a beat's ticks at 120 beats a minute.
        scale = self._ticks.tick_seconds(previous_onset) / TICK_SECONDS
        self._metre[0] = self._ticks.metre(previous_onset)
        logits = constrain_time_shift(
            self._logits(TIME_SHIFT, hidden),
            constraints,
            wait=(bound - previous_onset) / scale,
            previous_onset=previous_onset,
            previous_pitch=previous_pitch,
        )
        shift = known[TIME_SHIFT] = choose(logits, sampling, uniform[TIME_SHIFT])
        onset = self._ticks.time_after(previous_onset, int(TIME_SHIFT_TICKS[shift]))
        if shift == len(TIME_SHIFT_TICKS) - 1 or self._ticks.in_tempo:
            onset = max(onset, bound, previous_onset)
        self._next_chord[0] = self._chord_at(onset)
        self._metre[0] = self._ticks.metre(onset)
        logits = constrain_pitch(
            self._logits(PITCH, hidden),
            constraints,
            onset=onset,
            above=previous_pitch if shift == 0 else None,
        )
        pitch = known[PITCH] = choose_pitch(logits, sampling, uniform[PITCH])
        logits = constrain_velocity(self._logits(VELOCITY, hidden), constraints)
        velocity = known[VELOCITY] = choose(logits, sampling, uniform[VELOCITY])
        duration = choose(self._logits(DURATION, hidden), sampling, uniform[DURATION])
        note = decode_note(NoteTokens(0, pitch, velocity, duration), onset)
        if scale != 1.0:
            # Twenty slow beats would hold a key for a minute.
            note = replace(note, duration=min(note.duration * scale, LONGEST_NOTE))
        self._insert(onset, note.pitch, note.velocity, duration, Role.COMPANION)
        return note

    def _logits(self, field: int, hidden: Floats) -> Floats:
        known, chord = self._known[:, :field], self._next_chord
        logits = self._decoder.field_logits(field, hidden, known, chord, self._metre)[0]
        if not np.isfinite(logits).all():
            raise ModelFault(f"model: {FIELDS[field]} logits are not finite; try another model")
        return logits

    def _style_of(self, role: Role) -> Floats:
        return self._style if role is Role.COMPANION else self._no_style

    def _phrase_of(self, role: Role) -> Floats:
        return self._phrase if role is Role.COMPANION else self._no_phrase

    def _insert(self, onset: float, pitch: int, velocity: int, duration: int, role: Role) -> None:
        self._make_room()
        if not self._record.total:
            self.turn(role, self._style, self._phrase)
        position = self._record.insert_note(
            onset,
            self._tick(onset),
            pitch,
            int(velocity_index(min(max(velocity, 1), 127))),
            duration,
            role,
            self._style_of(role),
            self._chord_at(onset),
            self._ticks.metre(onset),
            self._phrase_of(role),
        )
        self._feed_again(position)

    def _tick(self, onset: float) -> int:
        """Return the tick of an onset, counted from the last one's."""
        tick, last_onset, last_tick = self._ticks.tick(onset), self._record.last_onset, self._record.last_tick
        if last_onset is None or last_tick is None:
            return tick
        return last_tick + tick - self._ticks.tick(last_onset)

    def _duration(self, onset: float, seconds: float) -> int:
        """Return the duration index of a note that begins at `onset` and lasts so many seconds."""
        return int(duration_index(to_ticks(seconds / self._ticks.tick_seconds(onset) * TICK_SECONDS)))

    def _end(self, onset: float, pitch: int) -> None:
        """End the held note of a pitch at `onset`, if there is one."""
        position = self._record.held(pitch)
        if position is None:
            return
        begin = self._record.onset(position)
        duration = self._duration(begin, onset - begin)
        self._record.set_duration(position, duration)
        if position >= self._cache.length:
            return
        if self._record.total - position <= self._eager_refeed:
            self._feed_again(position)
        else:
            self._deferred = position if self._deferred is None else min(self._deferred, position)

    def _feed_again(self, first: int) -> None:
        """Make every step from `first` on pending."""
        if first < self._cache.length:
            self._cache.rollback(first)
        if self._deferred is not None and self._deferred >= first:
            self._deferred = None

    def _make_room(self) -> None:
        """Feed what a further step would push off the record unfed, or forget all if that cannot be fed."""
        if self.pending < self._record.capacity - 1:
            return
        try:
            self.sync()
        except ModelFault:
            # What the model cannot take in must not keep it from what is played from here on.
            self._record.reset()
            self._cache.reset()
            self._deferred = None
            self._lost_before = self._record.arrivals


def _no_chords(time: float) -> int:
    return NO_CHORD

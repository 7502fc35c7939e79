"""The model's context: notes in as they happen, notes out one by one, every step of it revocable."""

from collections.abc import Callable
from typing import Final

import numpy as np

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.errors import ModelFault
from tatumflow.engine.harmony.chords import NO_CHORD
from tatumflow.engine.midi.notes import Note, Role, fold_pitch
from tatumflow.engine.model.constraints import Constraints
from tatumflow.engine.model.decoder import Decoder, DecoderInput
from tatumflow.engine.model.kv_cache import KVCache
from tatumflow.engine.model.metre import NO_METRE
from tatumflow.engine.model.note_sampler import NoteSampler
from tatumflow.engine.model.rope import RotaryAngles
from tatumflow.engine.model.sampling import Sampling
from tatumflow.engine.model.step_record import HeardNote, Mark, StepContext, StepRecord
from tatumflow.engine.model.tick_clock import TickClock
from tatumflow.engine.model.tokens import (
    FIELD_SIZES,
    HELD,
    TICK_SECONDS,
    duration_index,
    to_ticks,
    velocity_index,
)
from tatumflow.engine.tempo.beat_clock import Beats

EAGER_PREFILL: Final = 24
"""Steps back within which a correction is prefilled again at once."""

REPLAYED_STEPS: Final = 256
"""Steps of the context that are replayed into a newly loaded model."""

_VELOCITY_INDEX: Final[list[int]] = velocity_index(np.arange(128)).tolist()


class ModelSession:
    """The context of one model and the notes sampled from it.

    Calls that add or correct notes only change the record of steps; `sync` prefills the cache rows that are
    missing, in batches. The context starts with a turn token: a first note brings one for its player.

    Onsets are seconds on one clock. A note before the last one's tick counts as together with it. Pitches
    off the piano's keys are moved by octaves onto them. A pitch struck again while held ends there.

    A correction of a note more than `eager_prefill` steps back waits for `settle`, `begin_turn` or
    `next_note`, so that listening stays cheap. One further back than `eager_prefill` and `cache_rows -
    window` steps by then leaves the cache as it is: rebuilding it would cost more than the correction is
    worth.

    Where the model fails on as many steps as the record holds, they are dropped and the context begins anew.

    Same calls, same random generator: same notes, bit for bit.
    """

    def __init__(self, decoder: Decoder, *, eager_prefill: int = EAGER_PREFILL) -> None:
        """Start with an empty context of `decoder`."""
        self._eager_prefill = eager_prefill
        self._ticks = TickClock()
        self._open(decoder)
        self._chord_at: Callable[[float], int] = _no_chords
        self._role = Role.HUMAN
        self._style: Floats = self._no_style
        self._phrase: Floats = self._no_phrase
        self._deferred: int | None = None
        self._lost_before = 0

    def _open(self, decoder: Decoder) -> None:
        """Allocate an empty cache and an empty record for a model."""
        shape = decoder.shape
        self._decoder = decoder
        self._sampler = NoteSampler(decoder, self._ticks)
        self._deepest_prefill = max(self._eager_prefill, shape.cache_rows - shape.window)
        self._cache = KVCache(shape)
        self._record = StepRecord(shape.cache_rows, shape.num_styles, shape.phrase_dim)
        self._angles = RotaryAngles(shape.head_dim, shape.rope_base, self._cache.max_steps)
        self._states = np.zeros((shape.cache_rows, shape.hidden_dim), np.float32)
        self._no_style = np.zeros(shape.num_styles, np.float32)
        self._no_style[0] = 1.0
        self._no_phrase = np.zeros(shape.phrase_dim, np.float32)

    @property
    def steps(self) -> int:
        """Return how many steps the context has had since it was empty, turn tokens included."""
        return self._record.total

    @property
    def has_notes(self) -> bool:
        """Return whether there is a note in the context."""
        return self._record.last_tick is not None

    @property
    def pending(self) -> int:
        """Return how many steps `sync` has to prefill."""
        return self._record.total - self._cache.length

    @property
    def record(self) -> StepRecord:
        """Return the record of the steps, for reading only."""
        return self._record

    def pitch_classes(self, notes: int) -> Ints:
        """Return how often each pitch class sounds in the last `notes` notes of both players, (12,)."""
        return self._record.pitch_classes(notes)

    def last_notes(self, notes: int) -> list[HeardNote]:
        """Return the last `notes` notes of both players, by onset."""
        return self._record.last_notes(notes)

    def reset(self) -> None:
        """Empty the context; no style and no phrase condition is in force, the chords stay."""
        self._record.reset()
        self._cache.reset()
        self._role, self._style, self._phrase = Role.HUMAN, self._no_style, self._no_phrase
        self._deferred = None

    def use_decoder(self, decoder: Decoder, style: Floats) -> None:
        """Replace the model and replay the last `REPLAYED_STEPS` steps into it; chords and turn stay.

        Marks made before are void.

        Args:
            decoder: The newly loaded model.
            style: Weights over its style table, (S,), for what the companion has played and plays.
        """
        played = self._record
        self._open(decoder)
        self._record.replay(played, style, min(REPLAYED_STEPS, self._record.capacity // 2))
        self._style, self._phrase = np.array(style, np.float32), self._no_phrase
        self._deferred, self._lost_before = None, 0

    def follow_chords(self, chord_at: Callable[[float], int] | None) -> None:
        """Set the function that gives the chord id at a time in seconds, 0 for none; None for no chart."""
        self._chord_at = chord_at or _no_chords

    def follow_beats(self, beats: Beats | None, beats_per_bar: int = 4) -> None:
        """Count the next notes in beats, if the model reads metrical places, or in seconds.

        Beat 0 is a downbeat; `beats` is None for free time.
        """
        self._ticks.follow(beats if self._decoder.shape.metre else None, beats_per_bar)

    def begin_turn(self, role: Role, style: Floats, phrase: Floats | None = None) -> None:
        """Append a turn token: `role` plays from here on.

        Args:
            role: Who plays. A human's turn token itself has no style and no phrase condition.
            style: Weights over the style table, (S,), for the companion's notes from here on.
            phrase: Phrase condition, (P,), of the companion's notes from here on; None for none.
        """
        self.settle()
        self._make_room()
        self._role, self._style = role, np.array(style, np.float32)
        self._phrase = self._no_phrase if phrase is None else np.array(phrase, np.float32)
        last = self._record.last_onset
        metre = NO_METRE if last is None else self._ticks.metre(last)
        self._record.append_turn_token(self._context(role, NO_CHORD, metre))

    def begin_phrase(self, phrase: Floats | None) -> None:
        """Condition the companion's notes from the next one on upon another phrase, (P,).

        The last step is prefilled again: it is the one that predicts the phrase's first note.
        """
        self._phrase = self._no_phrase if phrase is None else np.array(phrase, np.float32)
        last = self._record.total - 1
        if last >= 0 and self._record.set_phrase(last, self._phrase):
            self._invalidate(last)

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
        """Prefill pending steps, at most `limit` of them, in as few calls as the cache allows.

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
                    cache.attention_mask(cache.length, steps),
                    cache.keys,
                    cache.values,
                )
            )
            # A row that is not finite would spoil every later step, masked or not: 0 times NaN is NaN.
            if not all(np.isfinite(array).all() for array in output):
                raise ModelFault(f"model: states of step {cache.length} are not finite; try another model")
            self._states[rows] = output.hidden
            cache.append(output.key, output.value)
            left -= steps
        return self.pending

    def settle(self) -> None:
        """Let deferred corrections take effect with the next `sync`."""
        if self._deferred is None:
            return
        deepest = max(self._record.total - self._deepest_prefill, self._cache.exact_from)
        self._invalidate(max(self._deferred, deepest))
        self._deferred = None

    def mark(self) -> Mark:
        """Return the present state, to roll back to."""
        return Mark(self._record.total, self._record.arrivals, self._role, self._style, self._phrase)

    def rollback(self, mark: Mark) -> None:
        """Drop the steps that arrived since `mark`, without prefilling any step again.

        Durations of earlier notes corrected since stay corrected. Where the record of `cache_rows` steps has
        lost the mark's last step, or the model failed on its steps, the context is empty but for the turn
        token in force.

        Raises:
            ValueError: if the session was rolled back beyond the mark, or reset, since.
        """
        lost = mark.steps > 0 and mark.arrivals <= self._lost_before
        if lost or mark.steps <= self._record.oldest > 0:
            self.reset()
            if mark.steps:
                self.begin_turn(mark.role, mark.style, mark.phrase)
            return
        first = self._record.restore(mark)
        self._role, self._style, self._phrase = mark.role, mark.style, mark.phrase
        last = mark.steps - 1
        if last >= 0 and self._record.set_phrase(last, self._phrase):
            first = min(first, last)
        self._invalidate(first)

    def next_note(
        self,
        sampling: Sampling,
        constraints: Constraints,
        rng: np.random.Generator,
        *,
        previous_onset: float,
        earliest: float | None = None,
    ) -> Note:
        """Sample the companion's next note and append it, in the style in force.

        Takes four numbers from `rng`, even where it fails.

        Args:
            sampling: Temperature and filters.
            constraints: What the note may be.
            rng: Random generator.
            previous_onset: Onset in seconds of the note before, either player's.
            earliest: Seconds before which the note may not start. Where the longest time shift does not
                reach it, the note starts then.

        Raises:
            ModelFault: if the model's output is not finite; no note is appended.
        """
        uniform = rng.random(len(FIELD_SIZES))
        self.settle()
        if not self._record.total:
            self.begin_turn(Role.COMPANION, self._style, self._phrase)
        self.sync()
        slot = (self._record.total - 1) % self._record.capacity
        note, duration = self._sampler.draw(
            self._states[slot : slot + 1],
            sampling,
            constraints,
            uniform,
            previous_onset=previous_onset,
            previous_pitch=self._record.last_pitch,
            earliest=earliest,
            chord_at=self._chord_at,
        )
        self._insert(note.onset, note.pitch, note.velocity, duration, Role.COMPANION)
        return note

    def _context(self, role: Role, chord: int, metre: tuple[int, int, int]) -> StepContext:
        if role is Role.COMPANION:
            return StepContext(role, self._style, chord, metre, self._phrase)
        return StepContext(role, self._no_style, chord, metre, self._no_phrase)

    def _insert(self, onset: float, pitch: int, velocity: int, duration: int, role: Role) -> None:
        self._make_room()
        if not self._record.total:
            self.begin_turn(role, self._style, self._phrase)
        position = self._record.insert_note(
            onset,
            self._tick(onset),
            pitch,
            _VELOCITY_INDEX[min(max(velocity, 1), 127)],
            duration,
            self._context(role, self._chord_at(onset), self._ticks.metre(onset)),
        )
        self._invalidate(position)

    def _tick(self, onset: float) -> int:
        """Return the tick of an onset, counted from the last one's."""
        tick, last_onset, last_tick = self._ticks.tick(onset), self._record.last_onset, self._record.last_tick
        if last_onset is None or last_tick is None:
            return tick
        return last_tick + tick - self._ticks.tick(last_onset)

    def _duration(self, onset: float, seconds: float) -> int:
        """Return the duration index of a note that starts at `onset` and lasts `seconds`."""
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
        if self._record.total - position <= self._eager_prefill:
            self._invalidate(position)
        else:
            self._deferred = position if self._deferred is None else min(self._deferred, position)

    def _invalidate(self, first: int) -> None:
        """Drop the cache rows from step `first` on, so that `sync` prefills them again."""
        if first < self._cache.length:
            self._cache.rollback(first)
        if self._deferred is not None and self._deferred >= first:
            self._deferred = None

    def _make_room(self) -> None:
        """Prefill the steps that a further one would push off the record, or drop all if the model fails."""
        if self.pending < self._record.capacity - 1:
            return
        try:
            self.sync()
        except ModelFault:
            # Steps on which the model fails must not keep it from those played from here on.
            self._record.reset()
            self._cache.reset()
            self._deferred = None
            self._lost_before = self._record.arrivals


def _no_chords(time: float) -> int:
    return NO_CHORD

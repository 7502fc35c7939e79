"""Training windows: pieces cut into fixed numbers of steps, with turns, held notes and augmentation.

An epoch lays all chosen pieces, whole or in segments, end to end in random order and cuts the row into
windows of equal length, so every note is predicted exactly once an epoch and only the last window is padded.
Within a window each part of a piece begins with a turn token; a part that follows another begins with two,
which no turn does, so that a new piece is not mistaken for an answer. A guest, a part of another player,
takes the turn with one, in the key of the notes before: the companion must play in the style it is
conditioned on, whatever the context.

Of a quantized piece the pitches alone are scored, and its notes belong to no phrase: its times, durations and
velocities are those of notation, which the model reads before a pitch and never learns to play.

All randomness derives from (seed, epoch, window), so a window can be built again anywhere.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.harmony.chords import NO_CHORD
from tatumflow.engine.midi.notes import PITCH_LOWEST, Role
from tatumflow.engine.model.metre import NO_METRE
from tatumflow.engine.model.tokens import (
    ABSENT,
    DURATION,
    FIELD_SIZES,
    FIELDS,
    PITCH,
    TICK_SECONDS,
    TIME_SHIFT,
    VELOCITY,
)
from tatumflow.engine.theory.key import KEY_NOTES
from tatumflow.training.data.corpora.piece import UNKNOWN_VELOCITY, Split
from tatumflow.training.data.packing import PackedCorpus, PackedPiece
from tatumflow.training.data.phrases import NO_PHRASE, PhraseSettings, PhraseTable
from tatumflow.training.data.stretches import Augmentation, Stretch, boundary_durations, encode_stretch

_PLAN_STREAM: Final = 0
_WINDOW_STREAM: Final = 1


@dataclass(frozen=True)
class TurnSettings:
    """Distribution of turns and of conditions.

    Attributes:
        shortest: Fewest notes in a turn.
        longest: Most notes in a turn; lengths are log-uniform between the two.
        without: Share of windows whose parts have one turn each.
        style_kept: Probability that the companion's notes carry the player's style.
        held: Probability that notes sounding across a boundary are read as held.
        truncated: Probability that they are read as ending at the boundary.
        chords: Probability that a part is conditioned on its chords.
        metre: Probability that a part is conditioned on its beats, where they are known.
        displaced: Probability that such a part is read off its places; see `displaced_ticks`.
        guests: Probability that a segment which begins within a window takes the next turn in another role:
            the context then gives no hint of its player, and the style id alone does.
        companion_guests: Probability that the roles make the guest the companion.
        segments: Fewest and most notes of the segments that pieces are cut into; lengths are log-uniform
            between the two. None leaves pieces whole.
    """

    shortest: int = 4
    longest: int = 256
    without: float = 0.25
    style_kept: float = 0.85
    held: float = 0.3
    truncated: float = 0.3
    chords: float = 0.5
    metre: float = 0.0
    displaced: float = 0.0
    guests: float = 0.0
    companion_guests: float = 0.7
    segments: tuple[int, int] | None = None


@dataclass(frozen=True)
class Window:
    """One training example of T steps.

    Attributes:
        fields: Input indices, (T, 4) int64, each below `INPUT_SIZES`.
        role: Who plays, see `Role`, (T,) int64.
        style: Style id in force, 0 for none, (T,) int64.
        target: The next step's note, (T, 4) int64, each below `FIELD_SIZES`; meaningless where not scored.
        scored: Which fields of the target enter the loss, (T, 4) bool.
        piece: Index within the epoch's pieces of the note each step predicts, (T,) int64; -1 where none.
        chord: Chord id at the step's own note, 0 for none, (T,) int64.
        next_chord: Chord id at the note the step predicts, (T,) int64.
        metre: Phase, beat of the bar and tempo at the step's own note, at a turn step those of the note
            before it, (T, 3) int64, each below `METRE_SIZES`.
        next_metre: Those at the note the step predicts, (T, 3) int64.
        tick_seconds: Seconds of a tick at the note the step predicts, (T,) float32.
        phrase: Phrase of the note the step predicts, (T,) int64; -1 where none.
        phrase_steps: Steps of each phrase's notes, (Q, N) int64; -1 beyond its last.
        previous: The phrase before each, (Q,) int64; -1 where none.
        features: Features of each phrase, its harmony relative to its key, (Q, NUM_FEATURES) float32; zeros
            where there is none.
        key: Key at the start of each phrase, 0 to 11, (Q,) int64; see `engine/theory/key.py`.
    """

    fields: NDArray[np.int64]
    role: NDArray[np.int64]
    style: NDArray[np.int64]
    target: NDArray[np.int64]
    scored: NDArray[np.bool_]
    piece: NDArray[np.int64]
    chord: NDArray[np.int64]
    next_chord: NDArray[np.int64]
    metre: NDArray[np.int64]
    next_metre: NDArray[np.int64]
    tick_seconds: NDArray[np.float32]
    phrase: NDArray[np.int64]
    phrase_steps: NDArray[np.int64]
    previous: NDArray[np.int64]
    features: NDArray[np.float32]
    key: NDArray[np.int64]


@dataclass(frozen=True)
class _Part:
    """Consecutive notes of one piece within a window, and the lengths of its turns in notes.

    A guest takes the turn after the part before it, its host.
    """

    piece: int
    start: int
    turns: tuple[int, ...]
    guest: bool = False
    host: bool = False


@dataclass(frozen=True)
class Windows:
    """The windows of one side of a packed corpus's split.

    Attributes:
        corpus: The packed corpus.
        split: The side of the split.
        seq_len: Steps in a window, turn tokens counted.
        seed: Seed of everything random.
        repeat: How often an epoch visits a corpus's pieces, by corpus name; once where not named.
        augment: The augmentation; None for none.
        turns: Distribution of turns and of conditions.
        corpora: Names of the corpora to use; all when empty.
        phrases: Lengths of phrases.
    """

    corpus: PackedCorpus
    split: Split
    seq_len: int = 1024
    seed: int = 0
    repeat: Mapping[str, int] = field(default_factory=dict)
    augment: Augmentation | None = None
    turns: TurnSettings = TurnSettings()
    corpora: tuple[str, ...] = ()
    phrases: PhraseSettings = PhraseSettings()  # noqa: RUF009 (frozen)

    @property
    def pieces(self) -> tuple[PackedPiece, ...]:
        """The pieces used, each once, in the corpus's order."""
        return tuple(
            piece
            for piece in self.corpus.pieces(self.split)
            if not self.corpora or piece.corpus in self.corpora
        )

    @property
    def notes_per_epoch(self) -> int:
        """Notes predicted in an epoch, repeats counted."""
        return sum(piece.length * self.repeat.get(piece.corpus, 1) for piece in self.pieces)

    def epoch(self, number: int) -> "Epoch":
        """Plan epoch `number`, counted from 0."""
        pieces = self.pieces
        rng = np.random.default_rng((self.seed, _PLAN_STREAM, number))
        order = rng.permutation(
            np.repeat(np.arange(len(pieces)), [self.repeat.get(piece.corpus, 1) for piece in pieces])
        )
        return Epoch(self, number, pieces, _plan(pieces, order, self.seq_len, self.turns, rng))


@dataclass(frozen=True)
class Epoch:
    """One pass over the pieces: windows in random order.

    Attributes:
        windows: The pieces and settings.
        number: Number of the epoch, from 0.
        pieces: The pieces that `Window.piece` indexes.
        plan: The parts of each window.
    """

    windows: Windows
    number: int
    pieces: tuple[PackedPiece, ...]
    plan: tuple[tuple[_Part, ...], ...]

    def __len__(self) -> int:
        return len(self.plan)

    def window(self, index: int) -> Window:
        """Build window `index`; the same arguments always give the same window."""
        settings = self.windows
        rng = np.random.default_rng((settings.seed, _WINDOW_STREAM, self.number, index))
        phrases = PhraseTable(settings.seq_len, settings.phrases)
        window = _empty(settings.seq_len, phrases)
        step = 0
        for part in self.plan[index]:
            step = self._fill(window, phrases, step, part, rng)
        window.target[:-1] = np.minimum(window.target[1:], np.array(FIELD_SIZES) - 1)
        window.scored[:-1] = window.scored[1:]
        for array, last in (
            (window.piece, -1),
            (window.next_chord, NO_CHORD),
            (window.next_metre, NO_METRE),
            (window.tick_seconds, TICK_SECONDS),
            (window.phrase, NO_PHRASE),
        ):
            array[:-1] = array[1:]
            array[-1] = last
        window.scored[-1] = False
        return window

    def _fill(
        self, window: Window, phrases: PhraseTable, step: int, part: _Part, rng: np.random.Generator
    ) -> int:
        """Write a part from `step` on and return the step after it; a target lies at its own note's step."""
        settings, turns = self.windows, self.windows.turns
        piece = self.pieces[part.piece]
        frame = settings.augment.frames.get(piece.corpus, 0.0) if settings.augment else 0.0
        stretch = encode_stretch(
            settings.corpus.notes(piece),
            part.start,
            sum(part.turns),
            settings.augment,
            rng,
            frame=frame,
            key=pitch_classes_before(window, step) if part.guest else None,
            metre=rng.random() < turns.metre,
            # Drawn only where it is set, so that all else in a window stays as it is without.
            displaced=turns.displaced > 0 and rng.random() < turns.displaced,
        )
        ends = np.cumsum(part.turns)
        duration = boundary_durations(stretch, ends[:-1], turns.held, turns.truncated, rng)
        style = settings.corpus.style_id(piece.player) if rng.random() < turns.style_kept else 0
        role = int(rng.integers(2))
        if part.host and rng.random() < turns.companion_guests:
            # The part's last turn is then the human's.
            role = (len(part.turns) - 1) % 2
        if part.guest:
            style = settings.corpus.style_id(piece.player)
            role = 1 - int(window.role[step - 1])
        elif step:
            window.role[step] = role
            window.style[step] = style if role == Role.COMPANION else 0
            step += 1
        # Each turn shifts its notes one more step to the right: its turn token.
        at = step + np.arange(len(duration)) + 1 + np.repeat(np.arange(len(ends)), part.turns)
        _write_notes(window, at, stretch, duration, part.piece, rng)
        _write_metre(window, at, stretch, part.turns)
        if settings.corpus.quantized(piece):
            window.scored[at] = np.arange(len(FIELDS)) == PITCH
        else:
            phrases.add(stretch, at, part.turns, rng, _key_histogram(window, at, part), follows=part.guest)
        if rng.random() < turns.chords:
            window.chord[at] = window.next_chord[at] = stretch.chord
        count = len(duration) + len(ends)
        roles = np.repeat((role + np.arange(len(ends))) % 2, np.array(part.turns) + 1)
        window.role[step : step + count] = roles
        window.style[step : step + count] = np.where(roles == Role.COMPANION, style, 0)
        return step + count


def _empty(steps: int, phrases: PhraseTable) -> Window:
    return Window(
        fields=np.tile(np.array(ABSENT, dtype=np.int64), (steps, 1)),
        role=np.zeros(steps, dtype=np.int64),
        style=np.zeros(steps, dtype=np.int64),
        target=np.zeros((steps, len(FIELDS)), dtype=np.int64),
        scored=np.zeros((steps, len(FIELDS)), dtype=np.bool_),
        piece=np.full(steps, -1, dtype=np.int64),
        chord=np.full(steps, NO_CHORD, dtype=np.int64),
        next_chord=np.full(steps, NO_CHORD, dtype=np.int64),
        metre=np.tile(np.array(NO_METRE, dtype=np.int64), (steps, 1)),
        next_metre=np.tile(np.array(NO_METRE, dtype=np.int64), (steps, 1)),
        tick_seconds=np.full(steps, TICK_SECONDS, dtype=np.float32),
        phrase=phrases.phrase,
        phrase_steps=phrases.steps,
        previous=phrases.previous,
        features=phrases.features,
        key=phrases.key,
    )


def pitch_classes_before(window: Window, step: int) -> NDArray[np.int64]:
    """Return the pitch-class counts of the last `KEY_NOTES` steps before `step`, (12,)."""
    before = slice(max(step - KEY_NOTES, 0), step)
    pitches = window.target[before, PITCH][window.scored[before, PITCH]]
    return np.bincount((pitches + PITCH_LOWEST) % 12, minlength=12)


def _key_histogram(window: Window, at: NDArray[np.int64], part: _Part) -> NDArray[np.int64]:
    """Return, for each note of a part, the pitch-class counts that its key is estimated from, (n, 12).

    Those are of the last `KEY_NOTES` notes before it, of the part and, for a guest, of the window before it;
    near a beginning, where there are fewer than half as many, of the part's first notes.
    """
    classes = (window.target[at, PITCH] + PITCH_LOWEST) % 12
    own = np.eye(12, dtype=np.int64)[classes]
    before = np.zeros((KEY_NOTES, 12), np.int64)
    if part.guest:
        steps = np.flatnonzero(window.scored[: at[0], PITCH])[-KEY_NOTES:]
        if len(steps):
            before[-len(steps) :] = np.eye(12, dtype=np.int64)[
                (window.target[steps, PITCH] + PITCH_LOWEST) % 12
            ]
    sums = np.concatenate([np.zeros((1, 12), np.int64), np.cumsum(np.concatenate([before, own]), axis=0)])
    counts = sums[KEY_NOTES : KEY_NOTES + len(at)] - sums[: len(at)]
    few = counts.sum(axis=1) < KEY_NOTES // 2
    counts[few] = own[: KEY_NOTES // 2].sum(axis=0)
    return counts


def _write_notes(
    window: Window,
    at: NDArray[np.int64],
    stretch: Stretch,
    duration: NDArray[np.int64],
    piece: int,
    rng: np.random.Generator,
) -> None:
    """Write a stretch's notes, as inputs and as targets, to the steps `at`."""
    present = stretch.velocity != UNKNOWN_VELOCITY
    window.fields[at, TIME_SHIFT] = stretch.shift_read
    window.fields[at, PITCH] = stretch.fields[:, PITCH]
    window.fields[at, VELOCITY] = np.where(present, stretch.fields[:, VELOCITY], ABSENT[VELOCITY])
    window.fields[at, DURATION] = duration
    window.target[at] = stretch.fields
    # The duration head reads the true velocity; where it is unknown, a random one, since at play time
    # it is sampled.
    window.target[at, VELOCITY] = np.where(
        present, stretch.fields[:, VELOCITY], rng.integers(FIELD_SIZES[VELOCITY], size=len(at))
    )
    window.scored[at] = True
    window.scored[at, VELOCITY] = stretch.known
    window.piece[at] = piece


def _write_metre(window: Window, at: NDArray[np.int64], stretch: Stretch, turns: tuple[int, ...]) -> None:
    """Write the metrical places of a stretch's notes and of its turn tokens."""
    window.metre[at], window.next_metre[at] = stretch.metre_read, stretch.metre
    window.tick_seconds[at] = stretch.tick_seconds
    starts = np.cumsum((0, *turns[:-1]))
    before = np.concatenate([stretch.metre_before[None], stretch.metre_read])
    window.metre[at[starts] - 1] = before[starts]


def _plan(
    pieces: tuple[PackedPiece, ...],
    order: NDArray[np.int64],
    seq_len: int,
    turns: TurnSettings,
    rng: np.random.Generator,
) -> tuple[tuple[_Part, ...], ...]:
    """Cut the pieces in their order into windows; return the windows in random order."""
    plan: list[tuple[_Part, ...]] = []
    parts: list[_Part] = []
    free = seq_len
    alternate = rng.random() >= turns.without
    for piece, first, left in _segments(pieces, order, turns.segments, rng):
        start = first
        while left:
            guest = (
                bool(parts)
                and start == first
                and alternate
                and turns.guests > 0
                and rng.random() < turns.guests
            )
            if parts and not guest:
                free -= 1
            lengths = _turn_lengths(left, free, turns if alternate else None, rng)
            if lengths:
                if guest:
                    parts[-1] = replace(parts[-1], host=True)
                parts.append(_Part(piece, start, lengths, guest))
                start += sum(lengths)
                left -= sum(lengths)
                free -= sum(lengths) + len(lengths)
            if left or free < _FEWEST_STEPS:
                plan.append(tuple(parts))
                parts, free = [], seq_len
                alternate = rng.random() >= turns.without
    if parts:
        plan.append(tuple(parts))
    return tuple(plan[i] for i in rng.permutation(len(plan)).tolist())


def _segments(
    pieces: tuple[PackedPiece, ...],
    order: NDArray[np.int64],
    bounds: tuple[int, int] | None,
    rng: np.random.Generator,
) -> list[tuple[int, int, int]]:
    """Return piece, first note and number of notes of each segment, in random order."""
    if bounds is None:
        return [(piece, 0, pieces[piece].length) for piece in order.tolist()]
    low, high = math.log(bounds[0]), math.log(bounds[1] + 1)
    segments: list[tuple[int, int, int]] = []
    for piece in order.tolist():
        start, length = 0, pieces[piece].length
        while start < length:
            count = min(int(math.exp(rng.uniform(low, high))), length - start)
            segments.append((piece, start, count))
            start += count
    return [segments[i] for i in rng.permutation(len(segments)).tolist()]


_FEWEST_STEPS: Final = 16
"""A window with fewer free steps than this gets no further piece."""


def _turn_lengths(
    notes: int, steps: int, turns: TurnSettings | None, rng: np.random.Generator
) -> tuple[int, ...]:
    """Draw the lengths of turns until the notes or the steps are used up."""
    lengths: list[int] = []
    while notes and steps > 1:
        length = steps - 1
        if turns is not None:
            low, high = math.log(turns.shortest), math.log(turns.longest + 1)
            length = min(length, int(math.exp(rng.uniform(low, high))))
        length = min(length, notes)
        lengths.append(length)
        notes -= length
        steps -= length + 1
    return tuple(lengths)

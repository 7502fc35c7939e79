"""Constraints on the next note: pure functions from a field's logits to masked or shifted logits.

Every function returns a new array of the same shape, or the array itself where it changes nothing, and always
leaves at least one value: a constraint that cannot be met is dropped in a stated order.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Floats
from tatumflow.engine.controls import Controls
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST
from tatumflow.engine.model.sampling import EXCLUDED, probabilities
from tatumflow.engine.model.tokens import TICK_SECONDS, TIME_SHIFT_TICKS, VELOCITIES

TIME_SHIFT_SECONDS: Final = TIME_SHIFT_TICKS * TICK_SECONDS
"""Seconds of each time-shift index, (191,) float64."""

_TOLERANCE: Final = 1e-6
"""Seconds by which equal sums of grid times may differ."""

_APART: Final = 3
"""First time-shift index that sounds apart from the note before, 30 ms; below it notes sound together."""

_TILTS: Final = np.linspace(-6.0, 6.0, 49)
_LOG_APART: Final = np.log(TIME_SHIFT_SECONDS[_APART:])
_TILT_WEIGHTS: Final = np.exp(-_TILTS[:, None] * _LOG_APART)
_NO_TILT: Final = len(_TILTS) // 2
_VELOCITY_STEP: Final = float(VELOCITIES[1] - VELOCITIES[0])
_VELOCITY_RANKS: Final = np.arange(len(VELOCITIES), dtype=np.float64)

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Constraints:
    """Constraints on the next note. Ranges are those of `Controls`; the defaults constrain nothing.

    Attributes:
        register_low: Lowest MIDI pitch.
        register_high: Highest MIDI pitch.
        pitch_classes: Twelve-bit mask of allowed pitch classes, bit 0 is C.
        max_polyphony: Most notes sounding at once, the new one included.
        density: Notes per time against the model's own, in octaves.
        repetition: Penalty in nats on each pitch in `recent`.
        recent: MIDI pitches played lately.
        sounding: MIDI pitch and end in seconds of each note that may still sound.
        velocity_follow: Share of the way from `velocity_level` to `velocity_target` by which velocities move.
        velocity_target: Mean MIDI velocity to move towards; None leaves velocities alone.
        velocity_level: Mean MIDI velocity of the last notes of both players, around which the model's own
            velocities lie.
    """

    register_low: int = PITCH_LOWEST
    register_high: int = PITCH_HIGHEST
    pitch_classes: int = 0xFFF
    max_polyphony: int = 16
    density: float = 0.0
    repetition: float = 0.0
    recent: tuple[int, ...] = ()
    sounding: tuple[tuple[int, float], ...] = ()
    velocity_follow: float = 0.0
    velocity_target: float | None = None
    velocity_level: float = 0.0

    @classmethod
    def of(
        cls,
        controls: Controls,
        *,
        polyphony: int | None = None,
        sounding: tuple[tuple[int, float], ...] = (),
        recent: tuple[int, ...] = (),
        velocity_target: float | None = None,
        velocity_level: float = 0.0,
    ) -> "Constraints":
        """Return the constraints of `controls`, given the sounding and the recent notes.

        `polyphony` is the most notes at once where it is not that of the controls.
        """
        return cls(
            register_low=controls.register_low,
            register_high=controls.register_high,
            pitch_classes=controls.pitch_classes,
            max_polyphony=controls.max_polyphony if polyphony is None else polyphony,
            density=controls.density,
            repetition=controls.repetition,
            recent=recent,
            sounding=sounding,
            velocity_follow=controls.velocity_follow,
            velocity_target=velocity_target,
            velocity_level=velocity_level,
        )


@lru_cache(maxsize=64)
def pitch_mask(register_low: int, register_high: int, pitch_classes: int) -> Mask:
    """Return which of the 88 pitches register and pitch classes allow; read-only.

    A register without an allowed pitch class drops the pitch classes; one off the keyboard drops itself.
    """
    pitch = np.arange(PITCH_LOWEST, PITCH_HIGHEST + 1)
    in_register = (pitch >= register_low) & (pitch <= register_high)
    if not in_register.any():
        in_register[:] = True
    in_class = (pitch_classes >> (pitch % 12)) & 1 == 1
    mask = in_register & in_class
    if not mask.any():
        mask = in_register
    mask.flags.writeable = False
    return mask


def free_pitches(constraints: Constraints, onset: float, above: int | None = None) -> Mask:
    """Return which of the 88 pitches a note at `onset` seconds may take.

    A sounding pitch is excluded, and a note at the same tick as the one before lies above it (`above`, a MIDI
    pitch), as in the training data. Where nothing is left, `above` is dropped first, then the sounding notes.
    """
    allowed = pitch_mask(constraints.register_low, constraints.register_high, constraints.pitch_classes)
    mask = allowed
    taken = [
        pitch - PITCH_LOWEST
        for pitch, end in constraints.sounding
        if end > onset + _TOLERANCE and PITCH_LOWEST <= pitch <= PITCH_HIGHEST
    ]
    if taken:
        mask = allowed.copy()
        mask[taken] = False
        if not mask.any():
            return allowed
    if above is None:
        return mask
    higher = mask.copy()
    higher[: above + 1 - PITCH_LOWEST] = False
    return higher if higher.any() else mask


def not_before(constraints: Constraints, earliest: float | None = None) -> float:
    """Return the first time in seconds at which a note can start; minus infinity for any time.

    Fewer than `max_polyphony` notes sound then, some allowed pitch is free, and `earliest` has passed.
    """
    bound = -np.inf if earliest is None else earliest
    sounding = constraints.sounding
    excess = len(sounding) - max(constraints.max_polyphony, 1)
    if excess >= 0:
        bound = max(bound, sorted(end for _, end in sounding)[excess])
    allowed = pitch_mask(constraints.register_low, constraints.register_high, constraints.pitch_classes)
    if sounding and len(sounding) >= np.count_nonzero(allowed):
        ends = np.full(len(allowed), -np.inf)
        for pitch, end in sounding:
            if PITCH_LOWEST <= pitch <= PITCH_HIGHEST:
                ends[pitch - PITCH_LOWEST] = max(ends[pitch - PITCH_LOWEST], end)
        bound = max(bound, float(ends[allowed].min()))
    return bound


def delay(logits: Floats, seconds: float) -> Floats:
    """Exclude time shifts shorter than `seconds`; beyond the grid's 10 s only the longest is left."""
    first = int(TIME_SHIFT_SECONDS.searchsorted(seconds - _TOLERANCE))
    if first == 0:
        return logits
    delayed = logits.copy()
    delayed[: min(first, len(logits) - 1)] = EXCLUDED
    return delayed


def thin_or_thicken(logits: Floats, octaves: float) -> Floats:
    """Change the density: tilt time shifts so that their mean is divided by 2 to the power of `octaves`.

    Shifts below 30 ms, heard as together, keep their share, so that chords stay chords. The others are
    weighted by a power of the shift; their mean falls strictly as `octaves` rises, until only the shortest or
    the longest is left. Since later notes are conditioned on earlier ones, a changed density also persists.
    """
    if octaves == 0:
        return logits
    probability = probabilities(logits)[_APART:].astype(np.float64)
    # einsum, because BLAS would wake a thread pool here and wait for it on a busy machine.
    mass = np.einsum("ij,j->i", _TILT_WEIGHTS, probability)
    if not mass[_NO_TILT] > 0:
        return logits
    mean = np.einsum("ij,j->i", _TILT_WEIGHTS, probability * TIME_SHIFT_SECONDS[_APART:]) / mass
    tilt = np.interp(mean[_NO_TILT] * 2.0**-octaves, mean[::-1], _TILTS[::-1])
    gain = -tilt * _LOG_APART
    gain += np.log(mass[_NO_TILT] / (probability @ np.exp(gain)))
    tilted = logits.copy()
    tilted[_APART:] += gain.astype(np.float32)
    return tilted


def constrain_time_shift(
    logits: Floats,
    constraints: Constraints,
    *,
    wait: float = -np.inf,
    previous_onset: float = 0.0,
    previous_pitch: int | None = None,
) -> Floats:
    """Return time-shift logits (191,) under the constraints.

    Args:
        logits: The model's, (191,).
        constraints: Those in force.
        wait: Seconds after the previous onset before which the note may not start, see `not_before`.
        previous_onset: Seconds at which the note before started.
        previous_pitch: MIDI pitch of the note before; if no pitch above it is free, the shift is not 0.
    """
    shifts = delay(logits, wait)
    if shifts is logits and previous_pitch is not None:
        beside = free_pitches(constraints, previous_onset)
        if not beside[max(previous_pitch + 1 - PITCH_LOWEST, 0) :].any():
            shifts = delay(logits, float(TIME_SHIFT_SECONDS[1]))
    return thin_or_thicken(shifts, constraints.density)


def constrain_pitch(
    logits: Floats, constraints: Constraints, *, onset: float, above: int | None = None
) -> Floats:
    """Return pitch logits (88,) of a note at `onset` seconds; see `free_pitches` for `above`."""
    mask = free_pitches(constraints, onset, above)
    masked = np.where(mask, logits, EXCLUDED)
    if constraints.repetition > 0:
        recent = {p - PITCH_LOWEST for p in constraints.recent if PITCH_LOWEST <= p <= PITCH_HIGHEST}
        masked[list(recent)] -= np.float32(constraints.repetition)
    return masked


def constrain_velocity(logits: Floats, constraints: Constraints) -> Floats:
    """Return velocity logits (32,), shifted as a whole so that the level of the music moves to the target.

    The level moves, not each note to the target, so that accents keep their size.
    """
    target, follow = constraints.velocity_target, constraints.velocity_follow
    if target is None or follow <= 0:
        return logits
    ranks = follow * (target - constraints.velocity_level) / _VELOCITY_STEP
    if not ranks:
        return logits
    shifted = np.interp(_VELOCITY_RANKS - ranks, _VELOCITY_RANKS, logits, left=EXCLUDED, right=EXCLUDED)
    return shifted.astype(np.float32)

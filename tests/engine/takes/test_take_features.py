"""Features of takes: each rises with what it is named after, and none depends on the clock."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.controls import chart_named
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.step_record import HeardNote
from tatumflow.engine.takes.passage import FRAME_SECONDS, Context
from tatumflow.engine.takes.take_features import FEATURES, take_features
from tatumflow.engine.tempo.chart_clock import ChartClock
from tatumflow.training.evaluate.metrics.bebop import Harmony, Line, enclosures, passing_tones

C_MAJOR = (60, 62, 64, 65, 67, 69, 71, 72)


def line(*pitches: int, start: float = 0.0, gap: float = 0.25, velocity: int = 71) -> list[Note]:
    return [Note(start + i * gap, gap, pitch, velocity) for i, pitch in enumerate(pitches)]


def heard(notes: list[Note], role: Role = Role.HUMAN) -> list[HeardNote]:
    return [HeardNote(note.onset, note.pitch, note.velocity, note.duration, role) for note in notes]


def features(before: list[Note], take: list[Note], chart: ChartClock | None = None) -> dict[str, float]:
    values = take_features(Context.of(heard(before), chart), take)
    assert values.shape == (len(FEATURES),)
    return dict(zip(FEATURES, values.tolist(), strict=True))


def after(before: list[Note], *pitches: int, **changes) -> list[Note]:
    return line(*pitches, start=before[-1].onset + 0.25, **changes)


BEFORE = line(*C_MAJOR, *reversed(C_MAJOR))


def test_a_motif_that_comes_again_is_repeated_even_transposed():
    motif = (60, 67, 64, 71, 62)
    before = line(72, 71, *motif, 72, 74)
    again = features(before, after(before, *(pitch + 2 for pitch in motif)))
    other = features(before, after(before, 62, 61, 70, 60, 72))
    assert again["repeated_steps"] > 0.3 > other["repeated_steps"] == 0


def test_a_rhythm_that_comes_again_is_repeated():
    def rhythm(start: float, gaps: tuple[float, ...]) -> list[Note]:
        return [Note(start + sum(gaps[:i]), 0.1, 60 + 5 * i % 7, 71) for i in range(len(gaps) + 1)]

    gaps = (0.48, 0.16, 0.16, 0.32, 0.64, 0.16)
    before = rhythm(0.0, gaps)
    same = features(before, rhythm(before[-1].onset + 0.48, gaps))
    even = features(before, rhythm(before[-1].onset + 0.48, (0.32,) * 6))
    assert same["repeated_rhythms"] > even["repeated_rhythms"]
    assert even["rhythm_change"] < same["rhythm_change"]


def test_the_key_of_the_call_fits_better_than_a_far_one():
    near = features(BEFORE, after(BEFORE, 60, 64, 67, 72, 65, 69))
    far = features(BEFORE, after(BEFORE, 61, 66, 68, 70, 73, 63))
    for name in ("fit_to_call", "fit_to_context", "fifths_of_call", "key_of_call", "diatonicity_in_context"):
        assert near[name] > far[name], name
    assert near["pitch_class_entropy"] < far["pitch_class_entropy"]


def test_the_call_is_the_humans_not_the_companions():
    own = [HeardNote(n.onset + 10, n.pitch + 1, n.velocity, n.duration, Role.COMPANION) for n in BEFORE]
    context = Context.of([*heard(BEFORE), *own])
    assert context.call[0] > 0 == context.call[1]


@pytest.mark.parametrize(
    ("name", "more", "less"),
    [
        ("pace", {"gap": 0.1}, {"gap": 0.5}),
        ("level", {"velocity": 100}, {"velocity": 40}),
        ("note_length", {"gap": 0.5}, {"gap": 0.1}),
        ("longest_interval", {"gap": 0.5}, {"gap": 0.1}),
    ],
)
def test_a_feature_rises_with_its_quantity(name: str, more: dict[str, float], less: dict[str, float]):
    rising, falling = (features(BEFORE, after(BEFORE, *C_MAJOR, **changes))[name] for changes in (more, less))
    assert rising > falling


def test_chords_registers_and_leaps():
    chord = [replace(note, onset=BEFORE[-1].onset + 0.5) for note in line(36, 60, 64)]
    take = [*chord, *line(96, 60, start=BEFORE[-1].onset + 1.0)]
    found = features(BEFORE, take)
    assert found["threes"] == pytest.approx(1 / 3)
    assert found["wide_chords"] == pytest.approx(1 / 3)
    assert found["bass"] == pytest.approx(1 / 5)
    assert found["highest"] == pytest.approx(1 / 5)
    assert found["top_leaps"] > 0.5
    assert found["range"] > features(BEFORE, after(BEFORE, 60, 62, 64, 65, 67))["range"]


def test_notes_on_half_beats_of_a_chart_gather_there():
    chart = ChartClock(chart_named("Dm7 | G7 | Cmaj7 | Cmaj7"), 120.0, 0.0)
    on = line(62, 65, 69, 72, 71, 67, 65, 62, start=BEFORE[-1].onset + 0.25)
    off = [replace(note, onset=note.onset + 0.07 * (i % 4)) for i, note in enumerate(on)]
    assert features(BEFORE, on, chart)["half_beats"] == pytest.approx(1.0)
    assert features(BEFORE, off, chart)["half_beats"] < 0.8
    assert features(BEFORE, on, chart)["half_beat_intervals"] == 1.0
    assert features(BEFORE, on, chart)["beat_lost"] == 0
    assert features(BEFORE, on, chart)["off_beats"] == pytest.approx(0.5)
    lost = [replace(note, onset=note.onset + 0.0625 * (i % 4)) for i, note in enumerate(on)]
    assert features(BEFORE, lost, chart)["beat_lost"] > 0.3
    swung = [replace(note, onset=note.onset + 0.05 * (i % 2)) for i, note in enumerate(on)]
    assert features(BEFORE, swung, chart)["off_beats"] == pytest.approx(0.6)
    assert features(BEFORE, on)["half_beats"] == 0, "there is no beat without a chart"


@given(st.lists(st.integers(48, 84), min_size=6, max_size=16), st.integers(0, 3))
def test_bebop_vocabulary_is_counted_as_the_evaluation_counts_it(pitches: list[int], bar: int):
    chart = ChartClock(chart_named("Dm7 | G7 | Cmaj7 | Eb7"), 120.0, 0.0)
    before = line(50, 30, start=2.0 * bar)
    take = line(*pitches, start=2.0 * bar + 1.0)
    found = features(before, take, chart)
    beats = np.arange(17.0)
    harmony = Harmony.of_beats(beats, [chart.chord_id_at(0.5 * beat) for beat in beats])
    notes = [*before, *take]
    places = np.array([note.onset * 2 % 16 for note in notes])
    if (np.diff(places) < 0).any():
        return
    whole = Line(places, np.array([note.pitch for note in notes], np.int64))
    assert found["passing_tones"] * len(notes) == pytest.approx(len(passing_tones(whole, harmony)))
    assert found["enclosures"] * len(notes) == pytest.approx(len(enclosures(whole, harmony)))


_NOTES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(21, 108), st.integers(1, 127), st.integers(1, 60)),
    min_size=1,
    max_size=24,
)


def _notes(rows: list[tuple[int, int, int, int]], start: int) -> list[Note]:
    frames = start + np.cumsum([row[0] for row in rows])
    return [
        Note(float(frame) * FRAME_SECONDS, length * 0.05, pitch, velocity)
        for frame, (_, pitch, velocity, length) in zip(frames, rows, strict=True)
    ]


@given(_NOTES, _NOTES, st.integers(0, 100_000))
def test_features_are_finite_and_do_not_depend_on_the_clock(
    before: list[tuple[int, int, int, int]], take: list[tuple[int, int, int, int]], later: int
):
    def at(frame: int) -> np.ndarray:
        context = _notes(before, frame)
        return take_features(
            Context.of(heard(context)), _notes(take, round(context[-1].onset / FRAME_SECONDS) + 1)
        )

    assert np.isfinite(at(0)).all()
    np.testing.assert_allclose(at(0), at(later), atol=1e-6)

"""Offline generation with a bundle: the engine's own planner on a virtual clock."""

from collections.abc import Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.clock import Clock, VirtualClock
from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.errors import ModelFault
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel
from tatumflow.engine.model.providers import CPU
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.offline import improvise
from tatumflow.engine.phrases.phrase_guide import PhraseGuide
from tatumflow.engine.phrases.policy import PhrasePolicy
from tatumflow.engine.takes.take_chooser import Chooser, TakeChooser
from tatumflow.engine.tempo.chart_clock import ChartClock
from tatumflow.engine.turns.companion import Companion
from tatumflow.engine.turns.lead_in import put_lead_in
from tatumflow.engine.turns.modes import mode_named
from tatumflow.engine.turns.phrase import Phrase, PhraseTracker
from tatumflow.engine.turns.planner import Planner
from tatumflow.engine.turns.turn_request import TurnRequest
from tatumflow.engine.turns.turn_window import TurnWindow
from tatumflow.training.data.corpora.piece import NOTE_DTYPE, UNKNOWN_VELOCITY
from tatumflow.training.evaluate.metrics.music_metrics import stretch_of
from tatumflow.training.evaluate.metrics.onsets import TOGETHER

DEFAULT_VELOCITY = 64
"""MIDI velocity that the model reads for notes of a corpus without velocities."""

Notes = NDArray[np.void]


class Performer:
    """A model that continues, replies or improvises, each time from an empty context."""

    def __init__(self, bundle: Bundle, *, conditions: bool = True, chooser: Chooser | None = None) -> None:
        """Open the bundle's graphs on one CPU thread.

        Args:
            bundle: The model.
            conditions: Whether phrases are conditioned on samples of the phrase model.
            chooser: What chooses among takes of continuations and replies; None for the bundle's weights.

        Raises:
            BundleError: if a graph cannot be run.
        """
        self._bundle = bundle
        self._chooser = chooser
        self._session = ModelSession(OnnxDecoder(bundle, providers=(CPU,)))
        self._phrases = OnnxPhraseModel(bundle) if conditions else None
        self._guide = None if self._phrases is None else PhraseGuide(self._phrases)

    def style_of(self, player: str) -> str:
        """Return the slug of a player if the model has the style, else the empty string."""
        return player if player in self._bundle.styles else ""

    def continuation(self, primer: Notes, seconds: float, controls: Controls, seed: int = 0) -> Notes:
        """Continue notes of the user.

        Args:
            primer: The notes, (n,) with n > 0, by onset.
            seconds: Seconds after the primer's last onset in which notes may begin.
            controls: How to sample; `mode` and `seed` are ignored. A chart begins with the primer's last
                onset.
            seed: Seed of the samples.

        Returns:
            Notes by onset, in seconds from the primer's last onset, cut where the stretch ends.

        Raises:
            ModelFault: if the model's output is not finite three times in a row.
            SettingError: if the model lacks a style.
        """
        notes = to_notes(primer)
        start = notes[-1].onset
        window = TurnWindow(earliest=start + TOGETHER, latest_first=inf, last_onset=start + seconds)
        policy = mode_named("continue").phrases
        end = max(note.offset for note in notes)
        phrase = Phrase(tuple(notes), notes[0].onset, end, _tracked(notes).silence)
        played = self._play(notes, phrase, window, policy, controls, seed)
        return stretch_of(to_array(played), start, seconds)

    def over_chart(
        self, before: Notes, start: float, seconds: float, controls: Controls, seed: int = 0
    ) -> Notes:
        """Improvise over the chart of the controls, from 0 s on at their tempo, after notes of the user.

        Args:
            before: The user's notes, by onset; may be empty.
            start: Seconds of the companion's first note.
            seconds: Seconds from there on in which notes may begin.
            controls: How to sample; `mode` and `seed` are ignored.
            seed: Seed of the samples.

        Returns:
            Notes by onset, in seconds from the beginning of the chart.

        Raises:
            ModelFault: if the model's output is not finite three times in a row.
            SettingError: if the model lacks a style.
        """
        window = TurnWindow(earliest=start, latest_first=start, last_onset=start + seconds)
        phrase = Phrase((), start, start, 0.0)
        policy = mode_named("improvise").phrases
        return to_array(self._play(to_notes(before), phrase, window, policy, controls, seed, chart_from=0.0))

    def answer(self, context: Notes, call: Notes, controls: Controls, seed: int = 0) -> Notes:
        """Return `reply`, in seconds from its first note."""
        played = self.reply(context, call, controls, seed)
        # The array's time is rounded: the note's own may lie after it.
        return stretch_of(played, float(played["onset"][0]), inf) if len(played) else played

    def reply(self, context: Notes, call: Notes, controls: Controls, seed: int = 0) -> Notes:
        """Reply to a phrase of the user.

        Args:
            context: Notes played before, by onset; may be empty.
            call: The phrase, (n,) with n > 0, on the same clock.
            controls: How to sample; `mode` sets beginning and end, `seed` is ignored. A chart begins with the
                last onset of the call.
            seed: Seed of the samples.

        Returns:
            Notes by onset, on the same clock.

        Raises:
            ModelFault: if the model's output is not finite three times in a row.
            SettingError: if the model lacks a style.
        """
        notes = to_notes(call)
        tracker = _tracked(notes)
        end = max(note.offset for note in notes)
        phrase = tracker.phrase(end)
        mode = mode_named(controls.mode)
        turn_at = tracker.turn_due(mode.patience)
        window = mode.window(phrase, controls, end if turn_at is None else max(turn_at, end))
        given = [*to_notes(context), *notes]
        return to_array(self._play(given, phrase, window, mode.phrases, controls, seed))

    def improvise(self, seconds: float, controls: Controls, *, form: bool = False) -> Notes:
        """Improvise alone from 0 s on, with a chart from there; notes sounding at `seconds` end there.

        With `form` the music is a form of that length, whose last phrase ends with it; see
        `engine.offline.improvise`.

        Raises:
            SettingError: if the model lacks a style.
        """

        def make(scheduler: Scheduler, clock: Clock) -> Companion:
            self._session.reset()
            return Companion(self._session, scheduler, clock, controls, self._bundle, self._phrases)

        played = to_array(improvise(make, seconds, form=form).companion)
        return played if form else stretch_of(played, 0.0, seconds)

    def _play(
        self,
        given: Sequence[Note],
        phrase: Phrase,
        window: TurnWindow,
        policy: PhrasePolicy,
        controls: Controls,
        seed: int,
        chart_from: float | None = None,
    ) -> list[Note]:
        """Return the notes that the planner samples after the given ones.

        The chart begins at `chart_from` seconds, with the last onset given when None. As in a session, a line
        over it follows a lead-in.
        """
        session, bundle = self._session, self._bundle
        previous_onset = given[-1].onset if given else None
        session.reset()
        chart = None
        if controls.chords:
            start = previous_onset if chart_from is None else chart_from
            chart = ChartClock(chart_named(controls.chords), controls.tempo, start or 0.0)
        session.follow_chords(None if chart is None else chart.chord_id_at)
        if chart is None:
            session.follow_beats(None)
        else:
            session.follow_beats(chart.beats, chart.chart.beats_per_bar)
        clock = VirtualClock(window.earliest if previous_onset is None else previous_onset)
        planner = Planner(session, Scheduler(lambda _: None, clock), clock, self._guide)
        style, weights = bundle.style_weights(controls), bundle.take_weights(controls)
        request = TurnRequest(
            phrase,
            window,
            controls,
            style,
            (seed,),
            previous_onset,
            policy,
            chart,
            is_line=bundle.plays_lines(controls),
            chooser=self._chooser or (None if weights is None else TakeChooser(weights)),
        )
        if given and chart is not None and request.polyphony == 1:
            put_lead_in(session, chart, controls, style, (seed,), given[0].onset)
            session.begin_turn(Role.HUMAN, style)
        for note in given:
            session.add(note, Role.HUMAN)
        planner.begin(request)
        played: list[Note] = []
        while True:
            now = clock.now()
            while planner.extend(now):
                pass
            played += planner.commit(now)
            if planner.finished and not planner.planned:
                break
            wake = planner.next_wake()
            if wake is not None:
                clock.advance_to(max(wake, now))
        if planner.failure:
            raise ModelFault(planner.failure)
        return played


def seed_of(seed: int, index: int) -> int:
    """Return the seed of the sample `index`, independent of all further seeds."""
    return int(np.random.SeedSequence((seed, index)).generate_state(1)[0])


def to_notes(array: Notes) -> list[Note]:
    """Return the notes of an array; an unknown velocity becomes `DEFAULT_VELOCITY`."""
    return [
        Note(float(row["onset"]), float(row["duration"]), int(row["pitch"]), _velocity(int(row["velocity"])))
        for row in array
    ]


def to_array(notes: Sequence[Note]) -> Notes:
    """Return notes as an array of `NOTE_DTYPE`, (n,), in their order and at their times."""
    array = np.zeros(len(notes), dtype=NOTE_DTYPE)
    for name in ("onset", "duration", "pitch", "velocity"):
        array[name] = [getattr(note, name) for note in notes]
    return array


def _velocity(velocity: int) -> int:
    return DEFAULT_VELOCITY if velocity == UNKNOWN_VELOCITY else velocity


def _tracked(notes: Sequence[Note]) -> PhraseTracker:
    """Return the engine's phrase tracker after notes."""
    tracker = PhraseTracker()
    ons = [(note.onset, 1, note) for note in notes]
    offs = [(note.offset, 0, note) for note in notes]
    for time, begins, note in sorted(ons + offs, key=lambda event: event[:2]):
        tracker.feed(NoteOn(time, note.pitch, note.velocity) if begins else NoteOff(time, note.pitch))
    return tracker

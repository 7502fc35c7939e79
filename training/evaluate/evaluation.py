"""The evaluation of a model on held-out pieces, part by part."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import CorpusError, SettingError
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel
from tatumflow.engine.model.providers import CPU
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.data.windows import Windows
from tatumflow.training.evaluate.classifiers.style_classifier import (
    choose_styles,
    cross_fitted,
    held_out_accuracy,
    label_stretches,
    train_classifier,
)
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.evaluate.generations import Performer
from tatumflow.training.evaluate.held_out import with_styles
from tatumflow.training.evaluate.likelihood.nll import NllReport, evaluate_nll
from tatumflow.training.evaluate.opened_model import OpenedModel
from tatumflow.training.evaluate.parts.answer_motifs import answer_motif_figures
from tatumflow.training.evaluate.parts.answer_relevance import (
    SETTINGS,
    Call,
    answer_calls,
    answer_figures,
    draw_calls,
)
from tatumflow.training.evaluate.parts.beat_figures import (
    BEAT_SECONDS,
    BEAT_TAKES,
    beat_figures,
    beat_takes,
    real_beats,
)
from tatumflow.training.evaluate.parts.bebop import bebop_part
from tatumflow.training.evaluate.parts.continuation_figures import (
    Continuations,
    continuation_figures,
    continue_primers,
)
from tatumflow.training.evaluate.parts.control_response import control_figures
from tatumflow.training.evaluate.parts.endless import endless_figures
from tatumflow.training.evaluate.parts.improvise_figures import TAKE_SECONDS, TAKES, improvise_figures
from tatumflow.training.evaluate.parts.latent_figures import latent_figures
from tatumflow.training.evaluate.parts.listener import listener_figures
from tatumflow.training.evaluate.parts.memorization import memorization_figures
from tatumflow.training.evaluate.parts.style_figures import (
    BLENDED,
    StyleTrial,
    play_styles,
    style_figures,
    tested_styles,
)
from tatumflow.training.evaluate.parts.theory_edits import edit_figures, play_edits
from tatumflow.training.evaluate.parts.trading import trading_part
from tatumflow.training.evaluate.parts.trading_takes import Play, Trader
from tatumflow.training.evaluate.parts.tune_figures import tune_figures
from tatumflow.training.evaluate.primers import CONTINUATION_SECONDS, Notes, Primer, draw_primers
from tatumflow.training.evaluate.progress import Progress
from tatumflow.training.evaluate.settings import EvaluationSettings

LATENT_WINDOWS: Final = 40
"""Windows on which conditions of the decoder are compared, unless a limit is given."""

ENDLESS_STEPS: Final = 100_000
"""Steps of the endless context."""

IMPROVISERS: Final = ("charlie-parker", "art-tatum", "sonny-rollins", "oscar-peterson")
"""Styles of the improvisations over the blues, of which the model has some."""

CONTROL_PRIMERS: Final = 30
"""Most primers for the test of controls."""

EDIT_CALLS: Final = 40
"""Most calls for the test of theory edits."""


@dataclass(frozen=True)
class EvaluationResult:
    """Figures, and the music that they are measured on.

    Attributes:
        figures: By name, ready for JSON.
        continuations: Continuations in the style of each primer's player; None where no part needs them.
        styles: Continuations by style; None where styles were not tested.
        calls: The calls.
        replies: The replies to them, by setting.
    """

    figures: Figures
    continuations: Continuations | None = None
    styles: StyleTrial | None = None
    calls: tuple[Call, ...] = ()
    replies: dict[str, tuple[Notes, ...]] = field(default_factory=dict)

    def described(self, header: Figures) -> "EvaluationResult":
        """Return the same result with a header before its figures."""
        return replace(self, figures={**header, **self.figures})


class Evaluation:
    """One evaluation; each part is a method that returns its figures."""

    def __init__(
        self,
        model: OpenedModel,
        bundle: Bundle | None,
        corpus: PackedCorpus,
        settings: EvaluationSettings,
        progress: Progress | None = None,
    ) -> None:
        """Check the settings; nothing is evaluated yet.

        Args:
            model: The model.
            bundle: Its bundle; None for a model that cannot play, which has the part `nll` alone.
            corpus: Held-out pieces and training pieces.
            settings: What to measure.
            progress: Display of the progress.

        Raises:
            SettingError: if a part is unknown, or needs a model that plays.
        """
        unknown = [part for part in settings.only if part not in PARTS]
        if unknown:
            raise SettingError(f"--only: {unknown[0]!r} is not a part; choose from {', '.join(PARTS)}")
        playing = [part for part in settings.only if part != "nll"]
        if playing and bundle is None:
            raise SettingError(f"--only: {playing[0]} needs a model that plays; export {model.name} first")
        _ = settings.played_with, settings.traded_with
        self._model = model
        self._bundle = bundle
        self._corpus = with_styles(corpus, model.styles)
        self._settings = settings
        self._progress = progress or Progress()
        self._styles: StyleTrial | None = None
        self._calls: tuple[Call, ...] = ()
        self._replies: dict[str, tuple[Notes, ...]] = {}

    def run(self) -> EvaluationResult:
        """Evaluate part by part.

        Without `only`, parts for which the corpus is too small are left out; see `skipped` in the figures.

        Raises:
            CorpusError: if the corpus has no such side, or is too small for a part that `only` names.
            ModelFault: if the model's output is not finite.
        """
        settings = self._settings
        if not self._corpus.pieces(settings.split):
            raise CorpusError(
                f"{self._corpus.path}: has no {settings.split} pieces; choose the other side of the split"
            )
        parts = settings.only or (tuple(PARTS) if self._bundle else ("nll",))
        figures: Figures = {}
        skipped: dict[str, str] = {}
        for part in parts:
            self._progress.begin(part)
            try:
                figures |= PARTS[part](self)
            except CorpusError as error:
                if settings.only:
                    raise
                skipped[part] = str(error)
        self._progress.end()
        figures["skipped"] = skipped
        played = self.__dict__.get("continuations")
        return EvaluationResult(figures, played, self._styles, self._calls, self._replies)

    def nll(self) -> Figures:
        """NLL of held-out notes, in all and by corpus."""
        settings = self._settings
        result = evaluate_nll(
            self._model.logits,
            self._corpus,
            settings.split,
            seq_len=self._model.window,
            limit=settings.limit,
            seed=settings.seed,
        )
        return {
            **_nll_figures(result.total),
            "nll_windows": result.windows,
            "nll_window_steps": result.seq_len,
            "nll_corpora": {name: _nll_figures(report) for name, report in result.corpora.items()},
        }

    def latent(self) -> Figures:
        """NLL under each condition of the decoder, and probes of the latent."""
        bundle, settings = self._opened_bundle, self._settings
        decoder = OnnxDecoder(bundle, providers=(CPU,))
        epoch = Windows(self._corpus, settings.split, decoder.shape.window, settings.seed).epoch(0)
        return latent_figures(
            decoder,
            OnnxPhraseModel(bundle),
            epoch,
            settings.limit or LATENT_WINDOWS,
            seed=settings.seed,
            progress=self._progress.update,
        )

    def endless(self) -> Figures:
        """NLL and cost of a step over hours of playing."""
        decoder = OnnxDecoder(self._opened_bundle, providers=(CPU,))
        settings = self._settings
        epoch = Windows(self._corpus, settings.split, decoder.shape.window, settings.seed).epoch(0)
        return endless_figures(decoder, epoch, ENDLESS_STEPS, self._progress.update)

    def music(self) -> Figures:
        """Figures of continuations beside the real ones."""
        played = self.continuations
        counts = {"primers": len(played.primers), "primer_pieces": len(set(played.pieces))}
        return {
            **counts,
            "continuation_seconds": played.seconds,
            **continuation_figures(played, self._settings.seed),
        }

    def listener(self) -> Figures:
        """Figures that a listener notices first, companion beside player."""
        settings = self._settings
        figures = listener_figures(self.continuations, settings.seed, self._progress.update)
        if settings.solos is not None:
            takes = beat_takes(
                self._performer,
                [style for style in IMPROVISERS if style in self._model.styles],
                settings.played_with,
                takes=BEAT_TAKES,
                seconds=BEAT_SECONDS,
                seed=settings.seed,
                progress=self._progress.update,
            )
            held_out = {piece.name for piece in self._corpus.pieces("val")}
            figures["beat"] = beat_figures(takes, real_beats(settings.solos), held_out, settings.seed)
        else:
            figures["unavailable"]["beat"] = "needs the Weimar Jazz Database; give it with --solos"
        return {"listener": figures}

    def style(self) -> Figures:
        """Whether the companion sounds like the requested player."""
        progress, seed = self._progress.update, self._settings.seed
        progress("training the classifier")
        known = choose_styles(self._corpus, BLENDED)
        stretches = label_stretches(self._corpus, known)
        classifier = train_classifier(stretches, known)
        accuracy = held_out_accuracy(classifier, stretches, seed)
        crossed = cross_fitted(stretches, known, seed=seed)
        self._styles = play_styles(
            self._performer,
            self._corpus,
            self._settings.split,
            tested_styles(self._performer, classifier, stretches),
            self._primers,
            seconds=CONTINUATION_SECONDS,
            controls=Controls(),
            seed=seed,
            progress=progress,
        )
        figures = style_figures(self._styles, classifier, stretches, crossed, seed)
        return {**figures, "style_classifier": accuracy}

    def answer(self) -> Figures:
        """Whether replies resemble their own calls."""
        settings = self._settings
        self._calls = draw_calls(self._corpus, settings.split, settings.primers, settings.seed)
        for name, changes in SETTINGS.items():
            self._replies[name] = answer_calls(
                self._performer,
                self._calls,
                replace(Controls(style=""), **changes),
                seed=settings.seed,
                progress=lambda done, name=name: self._progress.update(f"{name}, {done}"),
            )
        return {
            "answer_relevance": answer_figures(self._calls, self._replies, settings.seed),
            "answer_motifs": answer_motif_figures(self._calls, self._replies, settings.seed),
        }

    def control(self) -> Figures:
        """Whether controls move their quantities."""
        figures = control_figures(
            self._performer,
            self._primers[:CONTROL_PRIMERS],
            Controls(style=""),
            seed=self._settings.seed,
            progress=self._progress.update,
        )
        return {"control_response": figures}

    def edits(self) -> Figures:
        """Whether an edit of theory moves its own part of the music alone."""
        settings = self._settings
        count = min(settings.primers, EDIT_CALLS)
        calls = draw_calls(self._corpus, settings.split, count, settings.seed)
        trial = play_edits(
            self._performer, calls, Controls(style=""), seed=settings.seed, progress=self._progress.update
        )
        return {"theory_edits": edit_figures(trial, seed=settings.seed)}

    def improvise(self) -> Figures:
        """Figures of improvisations over a blues, and over tunes of different forms."""
        known = [style for style in IMPROVISERS if style in self._model.styles]
        seed, progress = self._settings.seed, self._progress.update
        blues = improvise_figures(
            self._performer,
            known,
            self._settings.solos,
            takes=TAKES,
            seconds=TAKE_SECONDS,
            seed=seed,
            progress=progress,
        )
        return blues | {"tunes": tune_figures(self._performer, known, seed=seed, progress=progress)}

    def bebop(self) -> Figures:
        """Bebop vocabulary over the tunes of Parker's solos."""
        return bebop_part(self._performer, self._corpus, self._settings, self._progress.update)

    def trading(self) -> Figures:
        """Fours traded over real tunes, after lines and after chords."""
        return trading_part(self._open_trader, self._corpus, self._settings, self._progress.update)

    def memorization(self) -> Figures:
        """Runs of notes that continuations share with the training set."""
        played = self.continuations
        self._progress.update("reading the training set")
        pieces = [self._corpus.notes(piece) for piece in self._corpus.pieces("train")]
        return {"memorization": memorization_figures(played, pieces, self._settings.seed)}

    @cached_property
    def continuations(self) -> Continuations:
        """Continuations of the primers."""
        return continue_primers(
            self._performer,
            self._primers,
            CONTINUATION_SECONDS,
            self._settings.played_with,
            own_style=self._settings.own_style,
            seed=self._settings.seed,
            progress=self._progress.update,
        )

    @cached_property
    def _primers(self) -> tuple[Primer, ...]:
        settings = self._settings
        return draw_primers(self._corpus, settings.split, settings.primers, seed=settings.seed)

    @cached_property
    def _performer(self) -> Performer:
        return Performer(self._opened_bundle, conditions=self._settings.conditions)

    def _open_trader(self) -> Play:
        return Trader.of_bundle(self._opened_bundle, conditions=self._settings.conditions).trade

    @property
    def _opened_bundle(self) -> Bundle:
        if self._bundle is None:
            raise SettingError(f"{self._model.name}: only a bundle plays; export it first")
        return self._bundle


PARTS: Final[dict[str, Callable[[Evaluation], Figures]]] = {
    "nll": Evaluation.nll,
    "latent": Evaluation.latent,
    "endless": Evaluation.endless,
    "music": Evaluation.music,
    "listener": Evaluation.listener,
    "style": Evaluation.style,
    "answer": Evaluation.answer,
    "control": Evaluation.control,
    "edits": Evaluation.edits,
    "improvise": Evaluation.improvise,
    "bebop": Evaluation.bebop,
    "trading": Evaluation.trading,
    "memorization": Evaluation.memorization,
}
"""The parts by name, in order."""


def _nll_figures(report: NllReport) -> Figures:
    return {
        "nll_per_token": value_and_interval(report.per_token),
        "nll_per_note": value_and_interval(report.per_note),
        "nll_fields": {name: value_and_interval(nats) for name, nats in report.fields.items()},
        "perplexity": value_and_interval(report.perplexity),
        "note_accuracy": value_and_interval(report.note_accuracy),
        "field_accuracy": {name: value_and_interval(share) for name, share in report.field_accuracy.items()},
        "nll_notes": report.notes,
        "nll_pieces": report.pieces,
    }

"""From settings to a companion that is ready to play."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tatumflow.engine.clock import Clock
from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import BundleError, SettingError
from tatumflow.engine.melodies.bundle import find_melody_models, load_melodies, melodies_path
from tatumflow.engine.melodies.melody_model import MelodyModel
from tatumflow.engine.melodies.onnx_melody_model import OnnxMelodyModel
from tatumflow.engine.midi.events import OutputEvent
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.midi.scheduler_thread import SchedulerThread
from tatumflow.engine.model.bundle import Bundle, bundle_path, load_bundle
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.turns.companion import Companion
from tatumflow.live.notices import Notify
from tatumflow.live.settings import Settings


@dataclass(frozen=True)
class OpenModel:
    """A bundle whose graphs are open and warm."""

    bundle: Bundle
    decoder: OnnxDecoder
    phrases: OnnxPhraseModel


@dataclass(frozen=True)
class LoadedModel:
    """A companion and what keeps it going."""

    bundle: Bundle
    companion: Companion
    thread: SchedulerThread

    def using(self, model: OpenModel) -> "LoadedModel":
        """Let the companion go on with another model, and return both; styles that it lacks are dropped.

        Raises:
            ValueError: while the companion plays.
        """
        bundle, companion = model.bundle, self.companion
        controls = companion.controls
        for name in ("style", "style_b"):
            if getattr(controls, name) not in bundle.styles:
                controls = controls.changed(name, "")
        companion.use_model(model.decoder, controls, bundle, model.phrases)
        return replace(self, bundle=bundle)

    def close(self) -> None:
        """Silence the companion and end its thread."""
        self.companion.silence()
        self.thread.stop()


def controls_for(bundle: Bundle, controls: Controls) -> Controls:
    """Return controls whose styles this model has, parts of their slugs completed.

    Raises:
        SettingError: if the model has no style that was requested. The default style is dropped instead.
    """
    default = Controls().style
    style = controls.style
    if style == default and default not in bundle.styles:
        style = ""
    try:
        return controls.changed("style", bundle.resolve_style(style)).changed(
            "style_b", bundle.resolve_style(controls.style_b)
        )
    except SettingError as error:
        raise SettingError(f"{error}; `tatumflow models --styles` lists them") from None


def open_bundle(model: str) -> Bundle:
    """Return the bundle of a name or folder; the empty string takes the first at hand.

    Raises:
        BundleError: if it is missing or damaged.
    """
    return load_bundle(bundle_path(model))


def open_model(model: str) -> OpenModel:
    """Open the bundle of a name or folder and run each of its graphs once; the empty string takes the first.

    Raises:
        BundleError: if it is missing or damaged.
    """
    bundle = open_bundle(model)
    return OpenModel(bundle, OnnxDecoder(bundle), OnnxPhraseModel(bundle))


def open_melodies() -> OnnxMelodyModel:
    """Open the first model of melodies that is found and run each of its graphs once.

    Raises:
        BundleError: if there is none, or it is damaged.
    """
    return OnnxMelodyModel(load_melodies(melodies_path("")))


def melodies_at_hand(notify: Notify) -> OnnxMelodyModel | None:
    """Open the first model of melodies, None where there is none; `notify` gets why a damaged one is not."""
    try:
        return open_melodies() if find_melody_models() else None
    except BundleError as error:
        notify(f"{error}; until then mode morph plays as answer", "warning")
        return None


def offline_companion(
    bundle: Bundle, controls: Controls, melodies: MelodyModel | None = None
) -> Callable[[Scheduler, Clock], Companion]:
    """Return what makes a companion around a scheduler and a clock, for `engine.offline`, in free time.

    `melodies` is what the mode *morph* needs.

    Raises:
        SettingError: if the model does not have a style of the controls.
    """
    known = controls_for(bundle, controls).in_free_time()
    session, phrases = ModelSession(OnnxDecoder(bundle)), OnnxPhraseModel(bundle)

    def make(scheduler: Scheduler, clock: Clock) -> Companion:
        session.reset()
        return Companion(session, scheduler, clock, known, bundle, phrases, melodies)

    return make


def load_model(
    settings: Settings,
    send: Callable[[OutputEvent], None],
    clock: Clock,
    silence: Callable[[], None] | None = None,
    melodies: MelodyModel | None = None,
) -> LoadedModel:
    """Load a model, warm it up and start its scheduler.

    Args:
        settings: Which model, and the controls to begin with.
        send: Plays an event at once; called on the scheduler's thread.
        clock: The session's.
        silence: Ends what sounds besides the scheduler's notes, at a panic; called where `send` is.
        melodies: What the mode *morph* needs; None for none.

    Raises:
        BundleError: if the model is missing or damaged.
        SettingError: if the model does not have the style.
    """
    bundle = open_bundle(settings.model)
    controls = controls_for(bundle, settings.controls)
    session = ModelSession(OnnxDecoder(bundle))
    scheduler = Scheduler(send, clock, silence)
    thread = SchedulerThread(scheduler, clock)
    phrases = OnnxPhraseModel(bundle)
    companion = Companion(session, scheduler, clock, controls, bundle, phrases, melodies)
    thread.start()
    return LoadedModel(bundle, companion, thread)

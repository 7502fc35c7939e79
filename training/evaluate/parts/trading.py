"""The part `trading` of an evaluation: four bars each over real tunes, after lines and after chords."""

from collections.abc import Callable, Mapping
from typing import Final

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.comparison import Figures
from tatumflow.training.evaluate.parts.trading_figures import trading_figures
from tatumflow.training.evaluate.parts.trading_takes import Play, play_takes
from tatumflow.training.evaluate.parts.trading_tunes import TradedTune, traded_tunes
from tatumflow.training.evaluate.primers import Notes
from tatumflow.training.evaluate.settings import EvaluationSettings

STYLE: Final = "charlie-parker"
"""Style of the companion where the controls name none."""

_HUMANS: Final[Mapping[str, Callable[[TradedTune], Notes]]] = {
    "lines": lambda tune: tune.line,
    "chords": lambda tune: tune.chords,
}


def trading_part(
    make_play: Callable[[], Play],
    corpus: PackedCorpus,
    settings: EvaluationSettings,
    progress: Callable[[str], None] = lambda _: None,
) -> Figures:
    """Return the figures of `trading_figures`, of as many takes of each kind as `settings` has primers.

    The controls are those of the settings for a jam; `make_play` opens the companion.

    Raises:
        CorpusError: if the settings name no Weimar Jazz Database, or it has no tunes to trade over.
        SettingError: if the model lacks the style.
    """
    source = settings.solos
    if source is None:
        raise CorpusError("trading: needs the Weimar Jazz Database; give it with --solos")
    progress("reading real solos")
    tunes = traded_tunes(source)
    if not tunes:
        raise CorpusError(f"{source.name}: has no solos to trade with; give the whole Weimar Jazz Database")
    play, controls = make_play(), settings.traded_with
    controls = controls if controls.style else controls.changed("style", STYLE)
    lines, chords = (
        play_takes(
            play,
            tunes,
            human,
            controls,
            takes=settings.primers,
            seed=settings.seed,
            progress=lambda done, kind=kind: progress(f"{kind}, {done}"),
        )
        for kind, human in _HUMANS.items()
    )
    held_out = {piece.name for piece in corpus.pieces("val")}
    return trading_figures(lines, chords, held_out, settings.seed)

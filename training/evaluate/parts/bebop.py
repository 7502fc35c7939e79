"""The part `bebop` of an evaluation: takes over a player's tunes, beside his solos and another player's."""

from collections.abc import Callable

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.comparison import Figures
from tatumflow.training.evaluate.generations import Performer
from tatumflow.training.evaluate.parts.bebop_figures import (
    PLAYER,
    TAKE_SECONDS,
    BebopSides,
    bebop_figures,
    control_player,
)
from tatumflow.training.evaluate.parts.bebop_takes import play_takes, real_takes
from tatumflow.training.evaluate.parts.bebop_tunes import solos_of
from tatumflow.training.evaluate.settings import EvaluationSettings


def bebop_part(
    performer: Performer,
    corpus: PackedCorpus,
    settings: EvaluationSettings,
    progress: Callable[[str], None] = lambda _: None,
) -> Figures:
    """Return the figures of `bebop_figures`, of as many takes as `settings` has primers.

    The controls are those of the settings; a style among them names the player, who is Parker otherwise.

    Raises:
        CorpusError: if the settings name no Weimar Jazz Database, or it has no solos of the player.
        ModelFault: if the model's output is not finite.
        SettingError: if the model lacks the style.
    """
    source = settings.solos
    if source is None:
        raise CorpusError("bebop: needs the Weimar Jazz Database; give it with --solos")
    controls, seed = settings.played_with, settings.seed
    player = controls.style or PLAYER
    other = control_player(player)
    progress("reading real solos")
    solos, others = solos_of(source, player, TAKE_SECONDS), solos_of(source, other, TAKE_SECONDS)
    if not solos or not others:
        lacking = other if solos else player
        raise CorpusError(
            f"{source.name}: has no solos of {lacking} over a form; give --control style=PLAYER"
        )
    played = play_takes(
        performer,
        solos,
        controls.changed("style", player),
        takes=settings.primers,
        seconds=TAKE_SECONDS,
        seed=seed,
        progress=progress,
    )
    progress("measuring")
    names = {piece.name for piece in corpus.pieces("val")}
    sides = BebopSides(
        player,
        other,
        played,
        real_takes(solos, seed),
        real_takes(others, seed),
        frozenset(solo.tune for solo in solos if solo.name in names),
    )
    return bebop_figures(sides, corpus, seed)

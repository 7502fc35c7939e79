"""What an evaluation measures."""

from dataclasses import dataclass
from pathlib import Path

from tatumflow.engine.controls import Controls
from tatumflow.training.data.corpora.piece import Split


@dataclass(frozen=True)
class EvaluationSettings:
    """What to measure, and how.

    Attributes:
        split: The side of the split.
        primers: Number of primers to continue, and of calls to answer.
        only: Names of the parts; all that the model allows when empty.
        limit: Most windows to predict; all when None.
        seed: Seed of everything random.
        solos: The Weimar Jazz Database, whose solos are compared with improvisations; None for no comparison.
        conditions: Whether phrases are conditioned on samples of the phrase model.
        controls: Names and values of live controls for the continuations; a style among them replaces that of
            each primer's player.
    """

    split: Split = "val"
    primers: int = 100
    only: tuple[str, ...] = ()
    limit: int | None = None
    seed: int = 0
    solos: Path | None = None
    conditions: bool = True
    controls: tuple[tuple[str, str], ...] = ()

    @property
    def played_with(self) -> Controls:
        """The controls of the continuations.

        Raises:
            SettingError: if one of them is unknown, or its value out of range.
        """
        controls = Controls(style="")
        for name, value in self.controls:
            controls = controls.changed(name, value)
        return controls

    @property
    def own_style(self) -> bool:
        """Whether each primer is continued in the style of its player."""
        return not any(name == "style" for name, _ in self.controls)

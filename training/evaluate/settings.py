"""What an evaluation measures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tatumflow.engine.controls import Controls
from tatumflow.training.data.corpora.piece import Split


@dataclass(frozen=True)
class PresetControls:
    """The controls of a preset; of its other settings an evaluation reads none.

    Attributes:
        name: Name of the preset; empty for none.
        generate: Values by name for music without a player's.
        jam: Values by name for a jam.
    """

    name: str = ""
    generate: Mapping[str, object] = field(default_factory=dict)
    jam: Mapping[str, object] = field(default_factory=dict)


NO_PRESET: Final = PresetControls()
"""Leaves every control as it is."""


@dataclass(frozen=True)
class EvaluationSettings:
    """What to measure, and how.

    Attributes:
        split: The side of the split.
        primers: Number of primers to continue, of calls to answer, and of takes over tunes.
        only: Names of the parts; all that the model allows when empty.
        limit: Most windows to predict; all when None.
        seed: Seed of everything random.
        solos: The Weimar Jazz Database, whose solos are compared with improvisations; None for no comparison.
        conditions: Whether phrases are conditioned on samples of the phrase model.
        controls: Names and values of live controls for continuations and takes over tunes; they win over the
            preset's. A style in either replaces that of each primer's player.
        preset: Controls below those.
    """

    split: Split = "val"
    primers: int = 100
    only: tuple[str, ...] = ()
    limit: int | None = None
    seed: int = 0
    solos: Path | None = None
    conditions: bool = True
    controls: tuple[tuple[str, str], ...] = ()
    preset: PresetControls = NO_PRESET

    @property
    def played_with(self) -> Controls:
        """The controls of continuations and of takes without a player.

        Raises:
            SettingError: if one of them is unknown, or its value out of range.
        """
        return self._over(self.preset.generate)

    @property
    def traded_with(self) -> Controls:
        """The controls of takes with a player.

        Raises:
            SettingError: if one of them is unknown, or its value out of range.
        """
        return self._over(self.preset.jam)

    @property
    def own_style(self) -> bool:
        """Whether each primer is continued in the style of its player."""
        return "style" not in {**self.preset.generate, **dict(self.controls)}

    def _over(self, values: Mapping[str, object]) -> Controls:
        """Return the given controls over a preset's values."""
        return Controls(style="").with_all({**values, **dict(self.controls)})

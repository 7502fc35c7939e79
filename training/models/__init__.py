"""The families of models, by name.

A family has a configuration class and a function that builds its model; one that predicts notes has another
that opens a stream of notes through it. Trainer, evaluation and continuation use nothing else of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast, runtime_checkable

import numpy as np
from pydantic import BaseModel
from torch import Tensor, nn

from tatumflow.engine.errors import SettingError
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.sampling import Sampling
from tatumflow.training.data.batches import Batch
from tatumflow.training.models.fractal_midi.config import FractalMidiConfig
from tatumflow.training.models.fractal_midi.model import FractalMidi
from tatumflow.training.models.music_transformer.config import MusicTransformerConfig
from tatumflow.training.models.music_transformer.model import MusicTransformer
from tatumflow.training.models.music_transformer.stream import MusicTransformerStream
from tatumflow.training.models.music_vae.config import MusicVaeConfig
from tatumflow.training.models.music_vae.model import MusicVae
from tatumflow.training.models.musicgen.config import MusicgenModelConfig
from tatumflow.training.models.tatumflow.config import TatumFlowConfig
from tatumflow.training.models.tatumflow.model import TatumFlow
from tatumflow.training.models.tatumflow.stream import TatumFlowStream, TorchDecoder
from tatumflow.training.models.tfswa_unet.config import TfswaUnetConfig
from tatumflow.training.models.tfswa_unet.model import TfswaUnet


@runtime_checkable
class NoteModel(Protocol):
    """A model that reads windows of notes and predicts each next note field by field.

    Shapes: B batch, T steps. The form of the states is up to the family.
    """

    def __call__(self, batch: Batch) -> Tensor:
        """Return the state after each step of a batch, (B, T, ...)."""
        ...

    def field_logits(self, states: Tensor, batch: Batch) -> list[Tensor]:
        """Return each field's logits (B, T, size), given the true earlier fields of the predicted note."""
        ...


@runtime_checkable
class LatentModel(NoteModel, Protocol):
    """A note model with a latent for each phrase, and losses beside the notes' likelihood."""

    def forward_with_losses(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return states (B, T, ...) under sampled conditions, and the weighted further losses by name."""
        ...

    def flow_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted losses of the latent flow alone, by name."""
        ...

    def posterior_states(self, batch: Batch) -> Tensor:
        """Return states (B, T, ...) conditioned on the posterior mean of each of the companion's phrases."""
        ...


@runtime_checkable
class StyledModel(Protocol):
    """A model whose style tables can be initialized from profiles of the players."""

    def initialize_styles(self, profiles: Tensor) -> None:
        """Initialize the style tables from profiles (S, F); see `tatumflow.training.data.styles`."""
        ...


class NoteStream(Protocol):
    """One stream of notes through a model, with its past in a cache."""

    def turn(self, role: Role, style: int) -> None:
        """Begin a turn: the role that plays, and its style id, 0 for none."""
        ...

    def add(self, note: Note) -> None:
        """Append a note of the current turn."""
        ...

    def next_note(self, sampling: Sampling, rng: np.random.Generator) -> Note:
        """Sample the next note field by field and append it.

        Raises:
            ModelFault: if the model's output is not finite.
        """
        ...


@dataclass(frozen=True)
class Family:
    """A family of models.

    Attributes:
        name: Its name in training configurations.
        config: The class of its hyperparameters.
        build: Builds an untrained model from a valid configuration.
    """

    name: str
    config: type[BaseModel]
    build: Callable[[BaseModel], nn.Module]


@dataclass(frozen=True)
class NoteFamily(Family):
    """A family of models that predict notes.

    Its hyperparameters include `max_seq_len`, the attention window in steps, and `num_styles`.

    Attributes:
        stream: Opens an empty stream through a model of the family, on the CPU in evaluation mode.
    """

    stream: Callable[[nn.Module], NoteStream]


def _build_tatumflow(config: BaseModel) -> nn.Module:
    return TatumFlow(cast(TatumFlowConfig, config))


def _stream_tatumflow(model: nn.Module) -> NoteStream:
    return TatumFlowStream(TorchDecoder(cast(TatumFlow, model).decoder))


def _build_music_transformer(config: BaseModel) -> nn.Module:
    return MusicTransformer(cast(MusicTransformerConfig, config))


def _stream_music_transformer(model: nn.Module) -> NoteStream:
    return MusicTransformerStream(cast(MusicTransformer, model))


def _build_fractal_midi(config: BaseModel) -> nn.Module:
    return FractalMidi(cast(FractalMidiConfig, config))


def _build_tfswa_unet(config: BaseModel) -> nn.Module:
    return TfswaUnet(cast(TfswaUnetConfig, config))


def _build_music_vae(config: BaseModel) -> nn.Module:
    return MusicVae(cast(MusicVaeConfig, config))


def _build_musicgen(config: BaseModel) -> nn.Module:
    # Its library takes seconds to import and is an extra.
    from tatumflow.training.models.musicgen.model import Musicgen

    return Musicgen(cast(MusicgenModelConfig, config))


FAMILIES: Final[Mapping[str, NoteFamily]] = {
    family.name: family
    for family in (
        NoteFamily("tatumflow", TatumFlowConfig, _build_tatumflow, _stream_tatumflow),
        NoteFamily(
            "music_transformer",
            MusicTransformerConfig,
            _build_music_transformer,
            _stream_music_transformer,
        ),
    )
}
"""Families of models that predict notes."""

SEPARATORS: Final[Mapping[str, Family]] = {
    family.name: family for family in (Family("tfswa_unet", TfswaUnetConfig, _build_tfswa_unet),)
}
"""Families of models that separate recordings into stems."""

MELODIES: Final[Mapping[str, Family]] = {
    family.name: family for family in (Family("music_vae", MusicVaeConfig, _build_music_vae),)
}
"""Families of models that encode melodies and decode them."""

ROLLS: Final[Mapping[str, Family]] = {
    family.name: family for family in (Family("fractal_midi", FractalMidiConfig, _build_fractal_midi),)
}
"""Families of models that sample piano rolls."""

SOUND_MODELS: Final[Mapping[str, Family]] = {
    family.name: family for family in (Family("musicgen", MusicgenModelConfig, _build_musicgen),)
}
"""Families of models that predict codes of sound."""


def family_named(name: str) -> Family:
    """Return a family by name.

    Raises:
        SettingError: if there is none of that name.
    """
    known = {**FAMILIES, **SEPARATORS, **MELODIES, **ROLLS, **SOUND_MODELS}
    if name not in known:
        raise SettingError(f"family: {name!r} is unknown; choose from {', '.join(known)}")
    return known[name]


def note_family_named(name: str) -> NoteFamily:
    """Return a family of models that predict notes, by name.

    Raises:
        SettingError: if there is none of that name.
    """
    family = family_named(name)
    if not isinstance(family, NoteFamily):
        raise SettingError(f"family: {name!r} predicts no notes; choose from {', '.join(FAMILIES)}")
    return family


def build_model(name: str, settings: Mapping[str, Any]) -> nn.Module:
    """Build an untrained model of a family from its hyperparameters.

    Raises:
        SettingError: if there is no such family.
        pydantic.ValidationError: if a hyperparameter is unknown or out of range.
    """
    family = family_named(name)
    return family.build(family.config.model_validate(dict(settings)))

"""One stream of notes through a TatumFlow decoder, in torch or as the graphs of a bundle."""

import numpy as np
import torch

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.constraints import Constraints
from tatumflow.engine.model.decoder import Decoder, DecoderInput, DecoderOutput, DecoderShape
from tatumflow.engine.model.sampling import Sampling
from tatumflow.engine.model.session import ModelSession
from tatumflow.training.models.tatumflow.decoder import TatumFlowDecoder


class TorchDecoder:
    """A decoder in torch; implements `engine.model.decoder.Decoder`."""

    def __init__(self, model: TatumFlowDecoder) -> None:
        """`model` is on the CPU in evaluation mode; the attention window is that of training."""
        config = model.config
        self._model = model
        self._shape = DecoderShape(
            num_layers=config.num_layers,
            num_kv_heads=config.num_kv_heads,
            head_dim=config.head_dim,
            hidden_dim=config.hidden_dim,
            cache_rows=config.max_seq_len,
            window=config.max_seq_len - 1,
            num_styles=config.num_styles,
            phrase_dim=config.phrase_dim,
            rope_base=config.rope_base,
            metre=config.metre_and_key,
        )

    @property
    def shape(self) -> DecoderShape:
        """Return the sizes of the model."""
        return self._shape

    def decode(self, inputs: DecoderInput) -> DecoderOutput:
        """Run the trunk over new steps."""
        with torch.inference_mode():
            rows = self._model.forward_cached(*(torch.from_numpy(array) for array in inputs))
        return DecoderOutput(*(row.numpy() for row in rows))

    def field_logits(
        self, field: int, hidden: Floats, known: Ints, chord: Ints, metre: Ints, pocket: float = 1.0
    ) -> Floats:
        """Return one field's logits (n, size), for a pocket of 1; see `engine.model.decoder.Decoder`."""
        with torch.inference_mode():
            arrays = (torch.from_numpy(array) for array in (hidden, known, chord, metre))
            return self._model.heads[field](*arrays).numpy()


class TatumFlowStream:
    """A stream of notes without chords or phrase conditions; implements `models.NoteStream`."""

    def __init__(self, decoder: Decoder) -> None:
        """Begin with an empty context of `decoder`."""
        self._session = ModelSession(decoder)
        self._styles = np.eye(decoder.shape.num_styles, dtype=np.float32)
        self._role = Role.HUMAN
        self._onset = 0.0

    def turn(self, role: Role, style: int) -> None:
        """Begin a turn: the role that plays, and its style id, 0 for none."""
        self._role = role
        self._session.begin_turn(role, self._styles[style])

    def add(self, note: Note) -> None:
        """Append a note of the current turn."""
        self._onset = note.onset
        self._session.add(note, self._role)

    def next_note(self, sampling: Sampling, rng: np.random.Generator) -> Note:
        """Sample the next note field by field and append it.

        Raises:
            ModelFault: if the model's output is not finite.
        """
        note = self._session.next_note(sampling, Constraints(), rng, previous_onset=self._onset)
        self._onset = note.onset
        return note

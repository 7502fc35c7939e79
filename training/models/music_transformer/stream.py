"""One stream of notes through a Music Transformer, four tokens a note, with its past in a cache."""

import numpy as np
import torch
from torch import Tensor

from tatumflow.engine.errors import ModelFault
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.sampling import Sampling, choose, choose_pitch
from tatumflow.engine.model.tokens import FIELDS, PITCH, TURN_TOKEN, NoteTokens, StreamingEncoder, decode_note
from tatumflow.training.models.music_transformer.cache import TokenCache
from tatumflow.training.models.music_transformer.model import MusicTransformer


class MusicTransformerStream:
    """A stream of notes; implements `models.NoteStream`."""

    def __init__(self, model: MusicTransformer) -> None:
        """Begin with an empty context of `model`, on the CPU in evaluation mode."""
        self._model = model
        self._cache = TokenCache(model.config)
        self._encoder = StreamingEncoder()
        self._condition = torch.zeros(2, 1, dtype=torch.int64)
        self._onset = 0.0
        self._unread: list[Tensor] = []
        self._state = torch.zeros(model.config.hidden_dim)

    def turn(self, role: Role, style: int) -> None:
        """Begin a turn: the role that plays, and its style id, 0 for none."""
        self._condition = torch.tensor([[int(role)], [style]])
        self._add(TURN_TOKEN)

    def add(self, note: Note) -> None:
        """Append a note of the current turn."""
        self._onset = note.onset
        self._add(self._encoder.encode(note))

    def next_note(self, sampling: Sampling, rng: np.random.Generator) -> Note:
        """Sample the next note field by field and append it.

        Raises:
            ModelFault: if the model's output is not finite.
        """
        chosen: list[int] = []
        with torch.inference_mode():
            self._read()
            for field in range(len(FIELDS)):
                logits = self._model.next_logits(field, self._state)
                if not torch.isfinite(logits).all():
                    raise ModelFault(f"model: {FIELDS[field]} logits are not finite; try another model")
                pick = choose_pitch if field == PITCH else choose
                chosen.append(pick(logits.numpy(), sampling, rng.random()))
                self._state = self._model.forward_cached(self._embedded(chosen)[field:], self._cache)[-1]
        note = decode_note(NoteTokens(*chosen), self._onset)
        self._encoder.encode(note)
        self._onset = note.onset
        return note

    def _add(self, step: NoteTokens) -> None:
        fields = [step.time_shift, step.pitch, step.velocity, step.duration]
        with torch.inference_mode():
            self._unread.append(self._embedded(fields))

    def _embedded(self, fields: list[int]) -> Tensor:
        """Return the tokens (n, H) of a step's first n fields."""
        role, style = self._condition
        return self._model.embed(torch.tensor([fields]), role, style)[0]

    def _read(self) -> None:
        """Run the model over the tokens added since the last sampled note."""
        if not self._unread:
            return
        for tokens in torch.cat(self._unread).split(self._model.config.max_tokens):
            self._state = self._model.forward_cached(tokens, self._cache)[-1]
        self._unread.clear()

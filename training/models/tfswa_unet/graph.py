"""The exported module of a stream: one block a call, with every state as input and output."""

from torch import Tensor, nn

from tatumflow.training.models.tfswa_unet.model import TfswaUnet


class SeparatorGraph(nn.Module):
    """`TfswaUnet.step` without the axis of excerpts."""

    def __init__(self, model: TfswaUnet) -> None:
        super().__init__()
        self.model = model

    def forward(self, planes: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        """Return planes of the stems, (4 s, f, t), and the states for the next call, each (frames, ...).

        Args:
            planes: Planes of the mixture, (4, f, t), t the model's block.
            past: States that the call before returned, zeros at first.
        """
        stems, kept = self.model.step(planes[None], [state[None] for state in past])
        return stems[0], *(state[0] for state in kept)

"""Initial biases of LSTMs that have to remember long sequences."""

import torch
from torch import nn


def remember(lstm: nn.LSTM, steps: int) -> nn.LSTM:
    """Set the biases of the forget gates so that memories last from one step to `steps`, and return the LSTM.

    Tallec and Ollivier 2018, "Can recurrent neural networks warp time?", section 2, for the forget gates.
    With PyTorch's biases of about 0 half of a memory is lost at every step, and gradients with it.
    """
    width = lstm.hidden_size
    for name, bias in lstm.named_parameters():
        if name.startswith("bias_"):
            lasting = torch.empty(width).uniform_(1.0, max(float(steps - 1), 1.0)).log()
            with torch.no_grad():
                bias.zero_()
                if name.startswith("bias_ih"):
                    bias[width : 2 * width] = lasting
    return lstm

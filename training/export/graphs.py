"""Modules for the trace into ONNX: the decoder rearranged for few nodes per step.

A decode step costs the reading of all weights and the start of every node. Constant work moves into the
weights: the queries' scale into their projection, each normalization's gain into the modulation that follows
it, and all blocks' modulations into one product. `parity` checks the result against the trained module.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tatumflow.training.models.tatumflow.config import TatumFlowConfig
from tatumflow.training.models.tatumflow.decoder import Block, FieldHead, TatumFlowDecoder
from tatumflow.training.models.tatumflow.flow import LatentFlow
from tatumflow.training.models.tatumflow.phrase_encoder import PhraseEncoder

_MODULATIONS = 4


def _normalize(x: Tensor, gain: Tensor, eps: float) -> Tensor:
    """Root-mean-square normalization in the form ONNX Runtime fuses into one node."""
    return x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + eps) * gain


def _transposed(linear: nn.Linear) -> nn.Parameter:
    return nn.Parameter(linear.weight.detach().T.contiguous(), requires_grad=False)


class TrunkGraph(nn.Module):
    """`TatumFlowDecoder.forward_cached` with each layer's cached keys and values as inputs of their own.

    T steps, H hidden_dim, N query heads, K key-value heads, D head_dim, W cache rows, S styles, P width of
    a phrase condition.
    """

    def __init__(self, model: TatumFlowDecoder, cache_rows: int) -> None:
        """Copy the weights of `model` for a cache of `cache_rows` rows."""
        super().__init__()
        config = model.config
        self.config, self.cache_rows, self.eps = config, cache_rows, model.norm.eps
        self.field_embeddings, self.role_embedding = model.field_embeddings, model.role_embedding
        self.chord_embedding, self.metre_embeddings = model.chord_embedding, model.metre_embeddings
        self.phrase_condition = _transposed(model.phrase_condition)
        self.phrase_input = _transposed(model.phrase_input)
        self.style_input = _transposed(model.style_input)
        self.styles = nn.Parameter(model.style_embedding.weight.detach().clone(), requires_grad=False)
        self.gain = nn.Parameter(model.norm.weight.detach().clone(), requires_grad=False)
        self.ones = nn.Parameter(torch.ones(config.hidden_dim), requires_grad=False)
        blocks = [block for block in model.blocks if isinstance(block, Block)]
        modulations = [self._modulation(block, config) for block in blocks]
        self.modulation = nn.Parameter(torch.cat([w for w, _ in modulations], dim=1), requires_grad=False)
        self.modulation_bias = nn.Parameter(torch.cat([b for _, b in modulations]), requires_grad=False)
        self.qkv = nn.ParameterList(self._scaled_qkv(block, config) for block in blocks)
        self.sink = nn.ParameterList(block.attention.sink.detach()[:, :, None] for block in blocks)
        self.out = nn.ParameterList(_transposed(block.attention.out) for block in blocks)
        self.gate_up = nn.ParameterList(_transposed(block.mlp.gate_up) for block in blocks)
        self.down = nn.ParameterList(_transposed(block.mlp.down) for block in blocks)

    @staticmethod
    def _scaled_qkv(block: Block, config: TatumFlowConfig) -> nn.Parameter:
        weight = block.attention.qkv.weight.detach().clone()
        weight[: config.hidden_dim] *= config.head_dim**-0.5
        return nn.Parameter(weight.T.contiguous(), requires_grad=False)

    @staticmethod
    def _modulation(block: Block, config: TatumFlowConfig) -> tuple[Tensor, Tensor]:
        """Return weight (C, 4 H) and bias (4 H,) giving gain and shift of the block's two normalizations."""
        weight = block.modulation.weight.detach().clone().view(_MODULATIONS, config.hidden_dim, -1)
        bias = block.modulation.bias.detach().clone().view(_MODULATIONS, config.hidden_dim)
        for scale, norm in ((0, block.norm_attention), (2, block.norm_mlp)):
            weight[scale] *= norm.weight.detach()[:, None]
            bias[scale] = (1 + bias[scale]) * norm.weight.detach()
        return weight.reshape(_MODULATIONS * config.hidden_dim, -1).T.contiguous(), bias.reshape(-1)

    def forward(
        self,
        fields: Tensor,
        role: Tensor,
        style: Tensor,
        chord: Tensor,
        metre: Tensor,
        phrase: Tensor,
        cos: Tensor,
        sin: Tensor,
        mask: Tensor,
        *past: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run the trunk over the next T steps.

        Args:
            fields: (T, 4) int64.
            role: (T,) int64.
            style: (T, S) float32.
            chord: (T,) int64.
            metre: (T, 3) int64.
            phrase: (T, P) float32.
            cos: (T, D / 2) float32.
            sin: (T, D / 2) float32.
            mask: Attention mask, added to the scores, (T, W + T) float32.
            past: Keys of every layer, then values of every layer, each (K, W, D) float32.

        Returns:
            States (T, H), new keys and new values, each (L, K, T, D).
        """
        config, window = self.config, self.cache_rows
        heads, kv_heads, width = config.num_heads, config.num_kv_heads, config.head_dim
        styles = style @ self.styles
        x = self.role_embedding(role) + self.chord_embedding(chord)
        x = x + styles @ self.style_input + phrase @ self.phrase_input
        for i, table in enumerate(self.field_embeddings):
            x = x + table(fields[:, i])
        for i, table in enumerate(self.metre_embeddings):
            x = x + table(metre[:, i])
        condition = F.silu(styles + phrase @ self.phrase_condition)
        modulations = (condition @ self.modulation + self.modulation_bias).split(config.hidden_dim, dim=-1)
        cos, sin = torch.cat([cos, cos], dim=-1), torch.cat([-sin, sin], dim=-1)
        # One more column for the sink, to which every step attends.
        mask = F.pad(mask, (0, 1)).repeat(heads // kv_heads, 1)
        keys, values = [], []
        for i in range(config.num_layers):
            gain, shift, mlp_gain, mlp_shift = modulations[_MODULATIONS * i : _MODULATIONS * (i + 1)]
            y = _normalize(x, self.ones, self.eps) * gain + shift
            qkv = (y @ self.qkv[i]).view(-1, heads + 2 * kv_heads, width).transpose(0, 1)
            qk, v = qkv.split([heads + kv_heads, kv_heads])
            first, second = qk.split(width // 2, dim=-1)
            q, k = (qk * cos + torch.cat([second, first], dim=-1) * sin).split([heads, kv_heads])
            q = q.reshape(kv_heads, -1, width)
            past_key, past_value = past[i], past[config.num_layers + i]
            scores = [q @ past_key.transpose(1, 2), q @ k.transpose(1, 2), q @ self.sink[i]]
            weight = (torch.cat(scores, dim=-1) + mask).softmax(dim=-1)
            y = weight[:, :, :window] @ past_value + weight[:, :, window:-1] @ v
            y = y.view(heads, -1, width).transpose(0, 1).reshape(-1, heads * width)
            x = x + y @ self.out[i]
            y = _normalize(x, self.ones, self.eps) * mlp_gain + mlp_shift
            gate, up = (y @ self.gate_up[i]).chunk(2, dim=-1)
            x = x + (F.silu(gate) * up) @ self.down[i]
            keys.append(k)
            values.append(v)
        return _normalize(x, self.gain, self.eps), torch.stack(keys), torch.stack(values)


class HeadGraph(nn.Module):
    """A `FieldHead` in the form that quantizes and fuses well."""

    def __init__(self, head: FieldHead) -> None:
        super().__init__()
        self.known, self.chord, self.metre = head.known, head.chord, head.metre
        self.landing = None if head.landing is None else MatMulLinear(head.landing)
        self.eps = head.norm.eps
        self.gain = nn.Parameter(head.norm.weight.detach().clone(), requires_grad=False)
        self.gate_up, self.down = _transposed(head.mlp.gate_up), _transposed(head.mlp.down)
        self.out, self.out_bias = _transposed(head.out), nn.Parameter(head.out.bias.detach().clone())

    def forward(
        self,
        hidden: Tensor,
        known: Tensor | None = None,
        metre: Tensor | None = None,
        chord: Tensor | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Return logits (n, size), for the time shift also what each phase adds where a shift lands, (n, 50).

        Args:
            hidden: States, (n, H).
            known: The earlier fields, (n, field) int64; None for the first.
            metre: Metrical places of the notes, (n, 3) int64; None for the time shift.
            chord: Chord ids at the notes' onsets, (n,) int64; None but for the pitch.
        """
        if metre is not None:
            for i, table in enumerate(self.metre):
                hidden = hidden + table(metre[:, i])
        if known is not None:
            for i, table in enumerate(self.known):
                hidden = hidden + table(known[:, i])
        if self.chord is not None:
            hidden = hidden + self.chord(chord)
        gate, up = (_normalize(hidden, self.gain, self.eps) @ self.gate_up).chunk(2, dim=-1)
        state = hidden + (F.silu(gate) * up) @ self.down
        logits = state @ self.out + self.out_bias
        return logits if self.landing is None else (logits, self.landing(state))


class MatMulLinear(nn.Module):
    """A linear layer as a product and a sum, the form that `int8_model` quantizes."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.matrix = _transposed(linear)
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        y = x @ self.matrix
        return y if self.bias is None else y + self.bias


def in_matmul_form(module: nn.Module) -> nn.Module:
    """Return a copy of a module with every linear layer as a `MatMulLinear`."""
    copy = deepcopy(module)
    for parent in list(copy.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear):
                setattr(parent, name, MatMulLinear(child))
    return copy


class EncoderGraph(nn.Module):
    """A `PhraseEncoder` for one phrase without gaps."""

    def __init__(self, encoder: PhraseEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, fields: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance, each (Z,), of a phrase of input indices (n, 4) int64."""
        present = torch.ones(1, fields.shape[0], dtype=torch.bool)
        mean, log_variance = self.encoder(fields[None], present)
        return mean[0], log_variance[0]


class FlowGraph(nn.Module):
    """A `LatentFlow` for one phrase."""

    def __init__(self, flow: LatentFlow) -> None:
        super().__init__()
        self.flow = flow

    def forward(self, x: Tensor, time: Tensor, style: Tensor, before: Tensor, target: Tensor) -> Tensor:
        """Return the velocity (P,); `time` is (1,), all further inputs lack `LatentFlow`'s first axis."""
        return self.flow(x[None], time, style[None], before[None], target[None])[0]

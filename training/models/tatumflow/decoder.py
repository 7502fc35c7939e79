"""The TatumFlow decoder: a causal transformer that reads a note per step and predicts the next by fields.

Grouped-query attention (Ainslie et al. 2023), rotary positions (Su et al. 2021), RMSNorm (Zhang and
Sennrich 2019), SwiGLU (Shazeer 2020), adaptive normalization by the condition as in DiT (Peebles and Xie
2022, section 3.2). Each block has one learned key per key-value head whose value is zero: an attention
sink inside the weights (after Xiao et al. 2023, section 3.3), so that a sliding window keeps its sink when
its oldest rows are dropped.

Shapes: B batch, T steps, H hidden_dim, C condition_dim, L width of the phrase condition, S num_styles,
N query heads, K key-value heads, D head_dim, W cache rows.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tatumflow.engine.harmony.chords import NUM_CHORDS
from tatumflow.engine.model.metre import BEAT_TICKS, LANDINGS, METRE_SIZES, NO_PHASE, PHASE, TEMPO
from tatumflow.engine.model.tokens import FIELD_SIZES, FIELDS, INPUT_SIZES, PITCH, TIME_SHIFT
from tatumflow.training.models.tatumflow.config import TatumFlowConfig
from tatumflow.training.models.tatumflow.layers import RMSNorm, SwiGLU, rotary_table, rotate

NUM_ROLES = 2

_BLOCK = 128
_MASKED = -1e9


class LayerCache(NamedTuple):
    """Keys and values of one block's past steps, keys already rotated. Each (B, K, W, D)."""

    key: Tensor
    value: Tensor


class Attention(nn.Module):
    """Causal grouped-query attention with a learned sink."""

    def __init__(self, config: TatumFlowConfig) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = config.num_heads, config.num_kv_heads, config.head_dim
        kv_dim = self.kv_heads * self.head_dim
        self.qkv = nn.Linear(config.hidden_dim, config.hidden_dim + 2 * kv_dim, bias=False)
        self.out = nn.Linear(config.hidden_dim, config.hidden_dim, bias=False)
        self.sink = nn.Parameter(torch.zeros(self.kv_heads, self.head_dim))

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return rotated queries (B, N, T, D), rotated keys and values (B, K, T, D)."""
        batch, steps, hidden = x.shape
        kv_dim = self.kv_heads * self.head_dim
        q, k, v = self.qkv(x).split([hidden, kv_dim, kv_dim], dim=-1)
        q = q.view(batch, steps, self.heads, self.head_dim).transpose(1, 2)
        k = k.view(batch, steps, self.kv_heads, self.head_dim).transpose(1, 2)
        v = v.view(batch, steps, self.kv_heads, self.head_dim).transpose(1, 2)
        return rotate(q, cos, sin).to(v.dtype), rotate(k, cos, sin).to(v.dtype), v

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Attend causally within x, (B, T, H)."""
        q, k, v = self.project(x, cos, sin)
        # On a CPU, torch's flash kernel takes twice the time of matrix products.
        y = self.attend_by_kernel(q, k, v) if x.is_cuda else self.attend_by_blocks(q, k, v)
        return self.out(y.transpose(1, 2).reshape(x.shape))

    def attend_by_kernel(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attend with torch's kernel; (B, N, T, D)."""
        # The sink precedes step 0; a zero query at its place keeps the square causal mask of the fast kernel.
        sink = self.sink.to(k.dtype)[None, :, None, :].expand(len(k), -1, -1, -1)
        q = F.pad(q, (0, 0, 1, 0))
        k = torch.cat([sink, k], dim=2)
        v = F.pad(v, (0, 0, 1, 0))
        group = self.heads // self.kv_heads
        k, v = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)[:, :, 1:]

    def attend_by_blocks(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attend a block of queries at a time, each to the keys up to its own; (B, N, T, D)."""
        batch, _, steps, dim = q.shape
        group = self.heads // self.kv_heads
        # The queries of a group share keys, so one product serves them all.
        q = (q * dim**-0.5).view(batch, self.kv_heads, group, steps, dim)
        blocks = []
        for start in range(0, steps, _BLOCK):
            end = min(start + _BLOCK, steps)
            size = end - start
            queries = q[:, :, :, start:end].reshape(batch, self.kv_heads, group * size, dim)
            seen = torch.ones(size, size, dtype=torch.bool, device=q.device).tril().repeat(group, 1)
            own = (queries @ k[:, :, start:end].transpose(-1, -2)).masked_fill(~seen, _MASKED)
            scores = torch.cat([queries @ k[:, :, :start].transpose(-1, -2), own], dim=-1).float()
            sink = (queries @ self.sink.to(q.dtype)[:, :, None]).float()
            highest = torch.maximum(scores.amax(dim=-1, keepdim=True), sink).detach()
            weight = (scores - highest).exp()
            total = weight.sum(dim=-1, keepdim=True) + (sink - highest).exp()
            y = (weight.to(v.dtype) @ v[:, :, :end]) / total.to(v.dtype)
            blocks.append(y.view(batch, self.heads, size, dim))
        return torch.cat(blocks, dim=2)

    def forward_cached(
        self, x: Tensor, cos: Tensor, sin: Tensor, cache: LayerCache, mask: Tensor
    ) -> tuple[Tensor, LayerCache]:
        """Attend from x (1, T, H) to cached rows and to x itself.

        Scores against cache, new rows and sink are concatenated, not the rows: the cache is read in place.

        Args:
            x: Inputs, (1, T, H).
            cos: Cosines, (T, D / 2).
            sin: Sines, (T, D / 2).
            cache: Past rows, each (1, K, W, D), in any order.
            mask: Attention mask added to the scores, (T, W + T): 0 where a step attends, else very negative.

        Returns:
            Output (1, T, H) and the new rows, each (1, K, T, D).
        """
        _, steps, hidden = x.shape
        window = cache.key.shape[2]
        group = self.heads // self.kv_heads
        q, k, v = self.project(x, cos, sin)
        q = q.reshape(self.kv_heads, group * steps, self.head_dim) * self.head_dim**-0.5
        past = torch.matmul(q, cache.key[0].transpose(1, 2))
        own = torch.matmul(q, k[0].transpose(1, 2))
        sink = torch.matmul(q, self.sink[:, :, None])
        scores = torch.cat([past, own], dim=-1).view(self.kv_heads, group, steps, window + steps) + mask
        scores = torch.cat([scores.view(self.kv_heads, group * steps, window + steps), sink], dim=-1)
        weight = scores.softmax(dim=-1)
        y = torch.matmul(weight[:, :, :window], cache.value[0])
        y = y + torch.matmul(weight[:, :, window : window + steps], v[0])
        y = y.view(self.heads, steps, self.head_dim).transpose(0, 1).reshape(1, steps, hidden)
        return self.out(y), LayerCache(k, v)


class Block(nn.Module):
    """One transformer block whose normalizations are scaled and shifted by the condition."""

    def __init__(self, config: TatumFlowConfig) -> None:
        super().__init__()
        self.norm_attention = RMSNorm(config.hidden_dim)
        self.attention = Attention(config)
        self.norm_mlp = RMSNorm(config.hidden_dim)
        self.mlp = SwiGLU(config.hidden_dim, config.mlp_dim)
        self.modulation = nn.Linear(config.condition_dim, 4 * config.hidden_dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, condition: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Map (B, T, H) to (B, T, H) under the condition (B, T, C)."""
        scale_a, shift_a, scale_m, shift_m = self.modulation(condition).chunk(4, dim=-1)
        x = x + self.dropout(self.attention(self.norm_attention(x) * (1 + scale_a) + shift_a, cos, sin))
        return x + self.dropout(self.mlp(self.norm_mlp(x) * (1 + scale_m) + shift_m))

    def forward_cached(
        self, x: Tensor, condition: Tensor, cos: Tensor, sin: Tensor, cache: LayerCache, mask: Tensor
    ) -> tuple[Tensor, LayerCache]:
        """Like `forward`, with the past in `cache`; see `Attention.forward_cached`."""
        scale_a, shift_a, scale_m, shift_m = self.modulation(condition).chunk(4, dim=-1)
        attended, rows = self.attention.forward_cached(
            self.norm_attention(x) * (1 + scale_a) + shift_a, cos, sin, cache, mask
        )
        x = x + attended
        return x + self.mlp(self.norm_mlp(x) * (1 + scale_m) + shift_m), rows


class FieldHead(nn.Module):
    """Predicts one field of the next note from the trunk's state and the note's earlier fields.

    The time shift determines what later fields are conditioned on: the chord at the note's onset, for the
    pitch, and its metrical place, for all of them. To each logit of the time shift is added a logit of the
    phase at which it would land.
    """

    landings: Tensor

    def __init__(self, config: TatumFlowConfig, field: int) -> None:
        """Build the head of a field, given by its index in `FIELDS`."""
        super().__init__()
        dim = config.hidden_dim
        self.known = nn.ModuleList(nn.Embedding(FIELD_SIZES[i], dim) for i in range(field))
        self.field = field
        self.chord = nn.Embedding(NUM_CHORDS, dim) if field == PITCH else None
        # The tempo is in the state already.
        reads, is_time = config.metre_and_key, field == TIME_SHIFT
        sizes = METRE_SIZES[:TEMPO] if reads and not is_time else ()
        self.metre = nn.ModuleList(nn.Embedding(size, dim) for size in sizes)
        self.landing = nn.Linear(dim, BEAT_TICKS) if reads and is_time else None
        self.register_buffer("landings", torch.from_numpy(LANDINGS), persistent=False)
        self.norm = RMSNorm(dim)
        self.mlp = SwiGLU(dim, config.head_dim_inner)
        self.out = nn.Linear(dim, FIELD_SIZES[field])

    def forward(self, hidden: Tensor, fields: Tensor, chord: Tensor, metre: Tensor) -> Tensor:
        """Return logits (..., size).

        Args:
            hidden: States, (..., H).
            fields: The fields before this one, (..., field) int64.
            chord: Chord ids at the note's onset, 0 for none, (...) int64.
            metre: Metrical places, (..., 3) int64: for the time shift that of the note before, for the other
                fields the note's own.
        """
        for i, table in enumerate(self.known):
            hidden = hidden + table(fields[..., i])
        if self.chord is not None:
            hidden = hidden + self.chord(chord)
        for i, table in enumerate(self.metre):
            hidden = hidden + table(metre[..., i])
        state = hidden + self.mlp(self.norm(hidden))
        logits = self.out(state)
        if self.landing is None:
            return logits
        phase = metre[..., PHASE]
        known = (phase != NO_PHASE)[..., None]
        return logits + known * self.landing(state).gather(-1, self.landings[phase])


class TatumFlowDecoder(nn.Module):
    """Trunk and field heads.

    The inputs of a step are four fields (see `tatumflow.engine.model.tokens`), the role, the chord and the
    metrical place of its note (see `tatumflow.engine.model.metre`), the style, and the phrase condition. The
    state after step t predicts the note of step t + 1.
    """

    def __init__(self, config: TatumFlowConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.hidden_dim
        self.field_embeddings = nn.ModuleList(nn.Embedding(rows, dim) for rows in INPUT_SIZES)
        self.role_embedding = nn.Embedding(NUM_ROLES, dim)
        self.chord_embedding = nn.Embedding(NUM_CHORDS, dim)
        sizes = METRE_SIZES if config.metre_and_key else ()
        self.metre_embeddings = nn.ModuleList(nn.Embedding(size, dim) for size in sizes)
        self.style_embedding = nn.Embedding(config.num_styles, config.condition_dim)
        self.style_input = nn.Linear(config.condition_dim, dim, bias=False)
        self.phrase_condition = nn.Linear(config.phrase_dim, config.condition_dim, bias=False)
        self.phrase_input = nn.Linear(config.phrase_dim, dim, bias=False)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.norm = RMSNorm(dim)
        self.heads = nn.ModuleList(FieldHead(config, i) for i in range(len(FIELDS)))
        self.apply(self._initialize)
        nn.init.zeros_(self.style_input.weight)
        self._zero_metre()
        residual_std = 0.02 / (2 * config.num_layers) ** 0.5
        for block in self.blocks:
            assert isinstance(block, Block)
            nn.init.normal_(block.attention.out.weight, std=residual_std)
            nn.init.normal_(block.mlp.down.weight, std=residual_std)
            nn.init.zeros_(block.modulation.weight)

    @staticmethod
    def _initialize(module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)

    def _zero_metre(self) -> None:
        """Zero the weights of metrical places: a model trained without them first computes the same."""
        for head in self.heads:
            assert isinstance(head, FieldHead)
            for table in (*self.metre_embeddings, *head.metre):
                assert isinstance(table, nn.Embedding)
                nn.init.zeros_(table.weight)
            if head.landing is not None:
                nn.init.zeros_(head.landing.weight)

    def embed(
        self,
        fields: Tensor,
        role: Tensor,
        styles: Tensor,
        chord: Tensor,
        metre: Tensor,
        phrase: Tensor,
        note_mask: Tensor | None = None,
    ) -> Tensor:
        """Return inputs (..., T, H) of steps with styles (..., T, C); see `forward` for the others."""
        notes = torch.stack([table(fields[..., i]) for i, table in enumerate(self.field_embeddings)]).sum(
            dim=0
        )
        if note_mask is not None:
            notes = notes * note_mask[..., None]
        x = notes + self.role_embedding(role) + self.chord_embedding(chord)
        for i, table in enumerate(self.metre_embeddings):
            x = x + table(metre[..., i])
        return x + self.style_input(styles) + self.phrase_input(phrase)

    def forward(
        self,
        fields: Tensor,
        role: Tensor,
        style: Tensor,
        chord: Tensor,
        metre: Tensor,
        phrase: Tensor,
        note_mask: Tensor | None = None,
    ) -> Tensor:
        """Run the trunk over whole windows.

        Args:
            fields: Input indices of the four fields, (B, T, 4) int64, each below `INPUT_SIZES`.
            role: 0 human, 1 companion, (B, T) int64.
            style: Style id of each step, 0 for none, (B, T) int64.
            chord: Chord id at each step's note, 0 for none, (B, T) int64.
            metre: Phase, beat of the bar and tempo at each step's note, (B, T, 3) int64.
            phrase: Condition of the phrase whose note each step predicts, zeros for none, (B, T, L).
            note_mask: 0 where a step's note is masked in the input, else 1, (B, T); None masks none.

        Returns:
            States after each step, (B, T, H).
        """
        positions = torch.arange(fields.shape[1])
        cos, sin = rotary_table(positions, self.config.head_dim, self.config.rope_base)
        cos, sin = cos.to(fields.device), sin.to(fields.device)
        styles = self.style_embedding(style)
        x = self.embed(fields, role, styles, chord, metre, phrase, note_mask)
        condition = F.silu(styles + self.phrase_condition(phrase))
        for block in self.blocks:
            x = block(x, condition, cos, sin)
        return self.norm(x)

    def forward_cached(
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
        past_key: Tensor,
        past_value: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run the trunk over the next steps of one stream; this is the exported `decoder` graph.

        Args:
            fields: (T, 4) int64.
            role: (T,) int64.
            style: Weights over the style table, (T, S) float32; a row sums to 1, a blend mixes two styles.
            chord: (T,) int64.
            metre: (T, 3) int64.
            phrase: (T, L) float32.
            cos: Cosines of the steps' rotary angles, (T, D / 2) float32.
            sin: Sines, (T, D / 2) float32.
            mask: Attention mask, (T, W + T) float32: 0 for rows and steps attended to, else very negative.
            past_key: Rotated keys of past steps in any order, (L, K, W, D) float32.
            past_value: Their values, (L, K, W, D) float32.

        Returns:
            States (T, H), and the new rows of keys and values, each (L, K, T, D).
        """
        styles = torch.matmul(style, self.style_embedding.weight)
        x = self.embed(fields, role, styles, chord, metre, phrase)[None]
        condition = F.silu(styles + self.phrase_condition(phrase))[None]
        keys, values = [], []
        for i, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            cache = LayerCache(past_key[i : i + 1], past_value[i : i + 1])
            x, rows = block.forward_cached(x, condition, cos, sin, cache, mask)
            keys.append(rows.key)
            values.append(rows.value)
        return self.norm(x)[0], torch.cat(keys), torch.cat(values)

    def field_logits(
        self, hidden: Tensor, target: Tensor, chord: Tensor, metre: Tensor, next_metre: Tensor
    ) -> list[Tensor]:
        """Return each field's logits (..., size) from states (..., H), given the true earlier fields.

        Args:
            hidden: States, (..., H).
            target: The next notes, (..., 4) int64; input-only values are clamped, since the caller masks
                their loss.
            chord: The chords at their onsets, (...) int64.
            metre: Metrical places of the notes before them, (..., 3) int64.
            next_metre: Their own, (..., 3) int64.
        """
        known = torch.stack(
            [target[..., i].clamp(max=size - 1) for i, size in enumerate(FIELD_SIZES)], dim=-1
        )
        return [
            head(hidden, known[..., :i], chord, metre if i == TIME_SHIFT else next_metre)
            for i, head in enumerate(self.heads)
        ]

"""Continue a few notes with the ONNX graphs of this folder; needs onnxruntime and numpy, nothing else.

Run it as `python example.py [STYLE] [SEED]`. It prints a head and a line for each note: its onset in
seconds, MIDI pitch, velocity and duration in seconds. A style is one of `styles` in manifest.json.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

HERE: Final = Path(__file__).resolve().parent
PHRASE: Final = ((0.0, 62, 80, 0.2), (0.22, 65, 72, 0.2), (0.45, 69, 84, 0.2), (0.67, 72, 90, 0.3))
"""What is continued: onset in seconds, MIDI pitch, velocity, duration in seconds."""

NOTES: Final = 16
TEMPERATURE: Final = 0.9

TICKS: Final = np.concatenate([np.arange(100), np.arange(100, 1001, 10)])
"""Hundredths of a second of each time shift; those of a duration begin with the second."""

LOWEST_PITCH: Final = 21
SIZES: Final = (191, 88, 32, 190)
"""Values of time shift, pitch, velocity and duration; as an input, the next index is "no value"."""

NO_METRE: Final = (50, 8, 16)
HUMAN, COMPANION = 0, 1


class Model:
    """The decoder with its key-value cache: one row for each step, kept by the caller."""

    def __init__(self, folder: Path, style: str = "") -> None:
        """Open the graphs of a folder, to play in a style or in none."""
        self.manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        dims = self.manifest["dims"]
        files = {name: folder / graph["file"] for name, graph in self.manifest["graphs"].items()}
        self.trunk = onnxruntime.InferenceSession(files["decoder"], providers=["CPUExecutionProvider"])
        names = ("head_time_shift", "head_pitch", "head_velocity", "head_duration")
        self.heads = [
            onnxruntime.InferenceSession(files[name], providers=["CPUExecutionProvider"]) for name in names
        ]
        self.style = np.eye(dims["num_styles"], dtype=np.float32)[self.manifest["styles"].index(style)]
        self.rows, self.length = dims["cache_rows"], 0
        self.dims = dims
        cache = (dims["num_layers"], dims["num_kv_heads"], self.rows, dims["head_dim"])
        self.keys, self.values = np.zeros(cache, np.float32), np.zeros(cache, np.float32)
        self.inputs = {node.name: node.shape for node in self.trunk.get_inputs()}

    def step(self, fields: tuple[int, ...], role: int) -> NDArray[np.float32]:
        """Read one note or turn token and return the state after it, (1, hidden)."""
        half = self.dims["head_dim"] // 2
        angle = self.length * self.dims["rope_base"] ** (-np.arange(half) / half)
        # 0 where the step attends: to the cache's rows that are filled, and to itself.
        mask = np.full((1, self.rows + 1), -1e9, np.float32)
        mask[:, : self.length] = mask[:, -1] = 0
        no_style = np.eye(len(self.style), dtype=np.float32)[0]
        feed = {
            "fields": np.array([fields], np.int64),
            "role": np.array([role], np.int64),
            "style": (self.style if role == COMPANION else no_style)[None],
            "chord": np.zeros(1, np.int64),
            "metre": np.array([NO_METRE], np.int64),
            "phrase": np.zeros((1, self.inputs["phrase"][1]), np.float32),
            "cos": np.cos(angle, dtype=np.float64).astype(np.float32)[None],
            "sin": np.sin(angle, dtype=np.float64).astype(np.float32)[None],
            "bias": mask,
        }
        for layer in range(self.dims["num_layers"]):
            feed |= {f"past_key_{layer}": self.keys[layer], f"past_value_{layer}": self.values[layer]}
        feed = {name: value for name, value in feed.items() if name in self.inputs}
        hidden, key, value = (np.asarray(one) for one in self.trunk.run(None, feed))
        self.keys[:, :, self.length], self.values[:, :, self.length] = key[:, :, 0], value[:, :, 0]
        self.length += 1
        return hidden

    def sample(self, hidden: NDArray[np.float32], random: np.random.Generator) -> tuple[int, ...]:
        """Sample the four fields of the next note, each conditioned on those before."""
        known: list[int] = []
        for head in self.heads:
            feed = {
                "hidden": hidden,
                "known": np.array([known], np.int64),
                "metre": np.array([NO_METRE], np.int64),
                "chord": np.zeros(1, np.int64),
            }
            inputs = {node.name for node in head.get_inputs()}
            logits = np.asarray(head.run(None, {k: v for k, v in feed.items() if k in inputs})[0])[0]
            weights = np.exp((logits - logits.max()) / TEMPERATURE)
            known.append(int(random.choice(len(weights), p=weights / weights.sum())))
        return tuple(known)


def encode(notes: tuple[tuple[float, int, int, float], ...]) -> list[tuple[int, ...]]:
    """Return the fields of notes, each with the time since the note before it."""
    onsets = [round(100 * onset) for onset, *_ in notes]
    shifts = np.diff(onsets, prepend=onsets[0])
    return [
        (
            nearest(float(shift)),
            pitch - LOWEST_PITCH,
            round((velocity - 3) / 4),
            max(0, nearest(100 * duration) - 1),
        )
        for shift, (_, pitch, velocity, duration) in zip(shifts, notes, strict=True)
    ]


def nearest(ticks: float) -> int:
    """Return the index of the time shift nearest to some hundredths of a second."""
    return int(np.abs(TICKS - ticks).argmin())


def main(style: str = "", seed: str = "0") -> None:
    """Print the notes that follow the phrase."""
    model, random = Model(HERE, style), np.random.default_rng(int(seed))
    model.step(SIZES, HUMAN)
    for fields in encode(PHRASE):
        model.step(fields, HUMAN)
    hidden = model.step(SIZES, COMPANION)
    onset = PHRASE[-1][0]
    print("onset pitch velocity duration")
    for _ in range(NOTES):
        fields = model.sample(hidden, random)
        onset += TICKS[fields[0]] / 100
        pitch, velocity, duration = fields[1] + LOWEST_PITCH, 3 + 4 * fields[2], TICKS[fields[3] + 1] / 100
        print(f"{onset:.2f} {pitch} {velocity} {duration:.2f}")
        hidden = model.step(fields, COMPANION)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Separate a recording with the ONNX graph of this folder; needs onnxruntime and numpy, nothing else.

Run it as `python example.py [MIX.wav]`: a WAV file of 16 bits at the rate in separator.json. It writes a file
for each stem beside it. Without a file it separates three seconds of noise and a tone, and writes nothing.
"""

import json
import sys
import wave
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

HERE: Final = Path(__file__).resolve().parent

Samples = NDArray[np.float32]


def separate(mix: Samples, manifest: dict[str, Any]) -> dict[str, Samples]:
    """Return the stems of stereo samples, (2, n), by name, each (2, n)."""
    window, hop, block = manifest["window"], manifest["hop"], manifest["block"]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    session = onnxruntime.InferenceSession(
        HERE / manifest["graph"]["file"], providers=["CPUExecutionProvider"]
    )
    states = [np.zeros(shape, np.float32) for shape in manifest["states"]]
    frames = -(-(mix.shape[1] // hop + 2) // block) * block
    padded = np.zeros((2, window + (frames - 1) * hop))
    padded[:, window // 2 :][:, : mix.shape[1]] = mix
    names = [stem["name"] for stem in manifest["stems"]]
    stems, envelope = np.zeros((2 * len(names), padded.shape[1])), np.full(padded.shape[1], 1e-8)
    for first in range(0, frames, block):
        places = [slice(k * hop, k * hop + window) for k in range(first, first + block)]
        spectra = np.stack([np.fft.rfft(padded[:, place] * hann) for place in places], axis=-1)
        # Real parts of both channels, then their imaginary parts; so too the stems.
        planes = np.concatenate([spectra.real, spectra.imag]).astype(np.float32)
        feed = {"planes": planes} | {f"past_{i}": state for i, state in enumerate(states)}
        found, *states = (np.asarray(one) for one in session.run(None, feed))
        real, imaginary = np.split(found, 2)
        for place, frame in zip(places, np.moveaxis(real + 1j * imaginary, -1, 0), strict=True):
            stems[:, place] += np.fft.irfft(frame, window) * hann
            envelope[place] += hann**2
    whole = (stems / envelope)[:, window // 2 :][:, : mix.shape[1]].astype(np.float32)
    return {name: whole[2 * i : 2 * i + 2] for i, name in enumerate(names)}


def read_wav(path: Path, rate: int) -> Samples:
    """Return the samples of a WAV file of 16 bits, (2, n)."""
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2 or file.getframerate() != rate:
            sys.exit(f"{path}: give a WAV file of 16 bits at {rate} Hz")
        content = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
    stereo = content[:, [0, -1]].T
    return (stereo / 32768).astype(np.float32)


def write_wav(path: Path, samples: Samples, rate: int) -> None:
    """Write samples, (2, n), as a WAV file of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).T.astype("<i2").tobytes())


def main(name: str = "") -> None:
    """Print the level of each stem in decibels, and write the stems of a file."""
    manifest = json.loads((HERE / "separator.json").read_text(encoding="utf-8"))
    rate = manifest["rate"]
    time = np.arange(3 * rate) / rate
    noise = np.random.default_rng(0).normal(0, 0.05, (2, len(time)))
    mix = (
        read_wav(Path(name), rate)
        if name
        else (noise + 0.2 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    )
    for stem, samples in separate(mix, manifest).items():
        level = 10 * np.log10(np.mean(np.square(samples)) + 1e-12)
        print(f"{stem} {level:.1f} dB")
        if name:
            write_wav(Path(name).with_name(f"{Path(name).stem}-{stem}.wav"), samples, rate)


if __name__ == "__main__":
    main(*sys.argv[1:])

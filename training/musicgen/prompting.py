"""Music from a text, new or in continuation of a recording."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from tatumflow.engine.errors import AudioFileError, SettingError
from tatumflow.training.models.musicgen.config import MusicgenModelConfig
from tatumflow.training.models.musicgen.model import Musicgen
from tatumflow.training.musicgen.generation import WINDOW_SECONDS, CodeSampling, generate_codes
from tatumflow.training.musicgen.sound import check_suffix, read_sound, write_sound

MOST_SECONDS: Final = 300.0

_FADE_SECONDS: Final = 0.02
"""Crossfade from a recording to its continuation."""


@dataclass(frozen=True)
class Prompt:
    """What to play.

    Attributes:
        text: Description of the music.
        seconds: Length of the new sound, up to `MOST_SECONDS`.
        sampling: How codes are sampled.
        recording: Sound file to continue; None for none.
    """

    text: str
    seconds: float
    sampling: CodeSampling
    recording: Path | None = None

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise SettingError("TEXT is empty; describe the music, such as 'be-bop jazz solo in F'")
        if not 0 < self.seconds <= MOST_SECONDS:
            raise SettingError(
                f"seconds: {self.seconds:g} is out of range; allowed: above 0, up to {MOST_SECONDS:g}"
            )


@dataclass(frozen=True)
class PromptResult:
    """What was played.

    Attributes:
        seconds: Length of the file, with the recording that it continues.
        rate: Sample rate in hertz.
        model: Name of the model.
        licence: Licence of its weights.
    """

    seconds: float
    rate: int
    model: str
    licence: str


def play_prompt(
    prompt: Prompt,
    out: Path,
    model: str,
    download: bool = False,
    progress: Callable[[float], None] = lambda seconds: None,
) -> PromptResult:
    """Write the music of a prompt to a sound file.

    Args:
        prompt: What to play.
        out: The file, .wav, .flac or .mp3.
        model: Folder of a MusicGen model, name of an exported one, or name on the Hugging Face Hub.
        download: Whether weights that are not in the Hub's cache are downloaded.
        progress: Called with the seconds of new sound so far.

    Raises:
        BundleError: if the model's weights are missing or damaged.
        AudioFileError: if a sound file cannot be read or written.
        SettingError: if the name of the file has no known format.
        ModelFault: if the model's output is not finite.
    """
    check_suffix(out)
    # Nothing is trained; "full" adds no adapters to the model.
    musicgen = Musicgen(MusicgenModelConfig(base=model, download=download, method="full")).eval()
    musicgen.to("cuda" if torch.cuda.is_available() else "cpu")
    rate = musicgen.codec.rate
    samples = sound_of(musicgen, prompt, progress)
    write_sound(out, samples, rate)
    pretrained = musicgen.pretrained
    return PromptResult(samples.shape[1] / rate, rate, pretrained.name, pretrained.licence)


def sound_of(
    model: Musicgen, prompt: Prompt, progress: Callable[[float], None] = lambda seconds: None
) -> NDArray[np.float32]:
    """Return the sound of a prompt, (channels, n), after the recording that it continues.

    The recording is cut to whole frames of the audio encoder, and faded into the continuation over its last
    20 ms.

    Raises:
        AudioFileError: if the recording cannot be read, or is shorter than a frame.
        ModelFault: if the model's output is not finite.
    """
    codec = model.codec
    count = max(round(prompt.seconds * codec.rate), 1)
    frames = -(-count // codec.hop)

    def report(done: int) -> None:
        progress(done / codec.frame_rate)

    if prompt.recording is None:
        codes = generate_codes(model, prompt.text, frames, prompt.sampling, progress=report)
        return codec.decode(codes)[:, :count].numpy()
    recording = read_sound(prompt.recording, codec.rate, codec.channels)
    whole = recording.shape[1] // codec.hop * codec.hop
    if not whole:
        raise AudioFileError(f"{prompt.recording}: is too short to continue; give at least 0.1 s")
    recording = recording[:, :whole]
    heard = recording[:, -round(WINDOW_SECONDS * codec.frame_rate) * codec.hop :]
    context = codec.encode(torch.from_numpy(heard))
    codes = generate_codes(model, prompt.text, frames, prompt.sampling, context, report)
    decoded = codec.decode(codes).numpy()
    return _joined(recording, decoded, heard.shape[1], count, round(_FADE_SECONDS * codec.rate))


def _joined(
    recording: NDArray[np.float32], decoded: NDArray[np.float32], seam: int, count: int, fade: int
) -> NDArray[np.float32]:
    """Return a recording (C, m) and `count` new samples after it.

    Args:
        recording: The recording.
        decoded: Its end as the model decodes it, and the new sound, (C, seam + n).
        seam: Samples of the recording's end in `decoded`.
        count: New samples.
        fade: Samples of the crossfade before the seam, at most `seam`.
    """
    fade = min(fade, seam)
    rising = (np.arange(1, fade + 1) / (fade + 1)).astype(np.float32)
    start = recording.shape[1] - fade
    faded = recording[:, start:] * (1 - rising) + decoded[:, seam - fade : seam] * rising
    parts = [recording[:, :start], faded, decoded[:, seam : seam + count]]
    return np.concatenate(parts, axis=1, dtype=np.float32)

"""Instruments of each stem: programs of General MIDI, and their ranges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tatumflow.engine.midi.notes import Note

DRUM_BANK: Final = 128


@dataclass(frozen=True)
class Instrument:
    """An instrument.

    Attributes:
        name: Its name.
        program: General MIDI program, 0 to 127; of drums, the kit.
        bank: 0, or `DRUM_BANK`.
        share: Relative frequency among the instruments of its stem.
        lowest: Its lowest MIDI pitch.
        highest: Its highest.
    """

    name: str
    program: int
    bank: int = 0
    share: float = 1.0
    lowest: int = 0
    highest: int = 127


INSTRUMENTS: Final[Mapping[str, Sequence[Instrument]]] = {
    "horn": (
        Instrument("tenor saxophone", 66, share=3, lowest=42, highest=80),
        Instrument("alto saxophone", 65, share=3, lowest=47, highest=85),
        Instrument("trumpet", 56, share=3, lowest=51, highest=88),
        Instrument("trombone", 57, share=1.5, lowest=36, highest=77),
        Instrument("clarinet", 71, share=1.5, lowest=48, highest=94),
        Instrument("soprano saxophone", 64, lowest=54, highest=92),
        Instrument("baritone saxophone", 67, lowest=34, highest=72),
        Instrument("muted trumpet", 59, lowest=51, highest=86),
        Instrument("flute", 73, share=0.7, lowest=58, highest=98),
    ),
    "piano": (
        Instrument("grand piano", 0, share=6),
        Instrument("bright piano", 1, share=2),
        Instrument("electric piano", 4, share=1),
    ),
    "bass": (
        Instrument("acoustic bass", 32, share=8),
        Instrument("fingered bass", 33, share=1),
        Instrument("fretless bass", 35, share=1),
    ),
    "drums": (
        Instrument("jazz kit", 32, DRUM_BANK, share=4),
        Instrument("standard kit", 0, DRUM_BANK, share=3),
        Instrument("room kit", 8, DRUM_BANK, share=2),
        Instrument("brush kit", 40, DRUM_BANK, share=2),
        Instrument("power kit", 16, DRUM_BANK, share=0.5),
    ),
}
"""Instruments of each stem of `QUARTET`."""


def choose_instrument(
    choices: Sequence[Instrument], notes: Sequence[Note], rng: np.random.Generator
) -> Instrument:
    """Draw one of the choices, at least one, whose range has the notes, or the most of them."""
    pitches = np.array([note.pitch for note in notes])
    missing = [int(((pitches < one.lowest) | (pitches > one.highest)).sum()) for one in choices]
    fitting = [
        one
        for one, lacks in zip(choices, missing, strict=True)
        if lacks <= max(min(missing), len(notes) // 50)
    ]
    shares = np.array([one.share for one in fitting])
    return fitting[int(rng.choice(len(fitting), p=shares / shares.sum()))]

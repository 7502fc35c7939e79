"""Calls for samples: phrases of a corpus, of MIDI files, or those written for the purpose."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import MidiFileError
from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.offline import split_phrases
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.generations import to_array
from tatumflow.training.evaluate.parts.answer_relevance import Call, draw_calls
from tatumflow.training.evaluate.primers import PRIMER_SECONDS
from tatumflow.training.samples.phrases import written_calls

_FEWEST_NOTES: Final = 8
_SHORTEST: Final = 1.0
_LONGEST: Final = 6.0


def find_calls(
    count: int, *, corpus: PackedCorpus | None = None, files: Sequence[Path] = (), seed: int = 0
) -> tuple[Call, ...]:
    """Return calls: phrases of the files, else of the corpus's validation side, else the written ones.

    Args:
        count: Most calls to return.
        corpus: Corpus of the calls, one from a piece.
        files: MIDI files of the calls, the first phrase of each first.
        seed: Seed of the choice from the corpus.

    Raises:
        MidiFileError: if a file cannot be read, or holds no phrase that is long enough.
        CorpusError: if no piece of the corpus holds two phrases.
    """
    if files:
        found = [_phrases_of(path) for path in files]
        longest = max(map(len, found))
        return tuple(calls[i] for i in range(longest) for calls in found if i < len(calls))[:count]
    if corpus is not None:
        return draw_calls(corpus, "val", count, seed)
    return written_calls()[:count]


def _phrases_of(path: Path) -> list[Call]:
    """Return a file's phrases, cut where the companion would answer, with the notes before and after."""
    phrases = split_phrases(read_midi(path).notes, max_phrase=_LONGEST)
    calls: list[Call] = []
    for i, phrase in enumerate(phrases):
        start = phrase[0].onset
        if len(phrase) < _FEWEST_NOTES or phrase[-1].offset - start < _SHORTEST:
            continue
        before = [note for earlier in phrases[:i] for note in earlier if note.onset >= start - PRIMER_SECONDS]
        after: list[Note] = phrases[i + 1] if i + 1 < len(phrases) else []
        calls.append(Call(path.name, "", "", *map(to_array, (before, phrase, after))))
    if not calls:
        raise MidiFileError(
            f"{path.name}: holds no phrase of {_FEWEST_NOTES} notes and {_SHORTEST:g} s; give a longer one"
        )
    return calls

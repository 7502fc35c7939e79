from itertools import pairwise
from pathlib import Path

from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.engine.model.tokens import to_ticks


def test_the_bundled_phrase_is_one_phrase_of_piano(root: Path):
    performance = read_midi(root / "configs" / "live" / "phrase.mid")
    assert performance.dropped == 0
    assert performance.tempo is not None
    assert abs(performance.tempo - 132.0) < 0.01
    assert 4.0 <= max(note.offset for note in performance.notes) <= 8.0
    onsets = sorted(note.onset for note in performance.notes)
    pauses = [after - before for before, after in pairwise(onsets)]
    assert max(pauses) < 0.5, "a pause this long would end the phrase early"
    assert len({note.velocity for note in performance.notes}) >= 10
    line = [int(to_ticks(note.onset)) for note in performance.notes if note.pitch >= 60]
    assert len(set(line)) == len(line), "the melody is one voice"

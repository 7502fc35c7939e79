"""Which reader reads a source: its files decide."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.corpora import collected, improvisor, midi_folder, pijama, wjazzd
from tatumflow.training.data.corpora.piece import BrokenFile, Piece
from tatumflow.training.data.corpora.source import CorpusFiles, corpus_name, open_source


@contextmanager
def opened_files(source: Path, player: str | None = None, seed: int = 0) -> Iterator[CorpusFiles]:
    """Open a corpus and list its files, which can be read within the block.

    Args:
        source: A folder or archive: a collected corpus (with `metadata.json`), PiJAMA (with `pijama.csv`),
            the Weimar Jazz Database (with `csv_melody`), Impro-Visor's lead sheets (`.ls`), or any folder
            with MIDI files.
        player: Player of the MIDI files of a plain folder; by default the name of each file's folder.
        seed: Seed of the validation split of a corpus that comes without a split.

    Raises:
        CorpusError: if the source cannot be opened or is none of these.
    """
    with open_source(source) as folder:
        if (folder / collected.METADATA).is_file():
            yield collected.collected_files(folder, corpus_name(source))
        elif (folder / pijama.METADATA).is_file():
            yield pijama.pijama_files(folder)
        elif (folder / wjazzd.MELODIES).is_dir():
            yield wjazzd.wjazzd_files(folder, seed)
        elif improvisor.has_leadsheets(folder):
            yield improvisor.improvisor_files(folder, seed)
        elif midi_folder.midi_files(folder):
            yield midi_folder.midi_folder_files(folder, player, seed, corpus_name(source))
        else:
            raise CorpusError(
                f"{source}: holds neither {pijama.METADATA}, {wjazzd.MELODIES}, lead sheets "
                f"({improvisor.SUFFIX}) nor MIDI files; give the folder or archive of a corpus"
            )


def read_sources(
    sources: Sequence[Path], player: str | None = None, seed: int = 0
) -> Iterator[Piece | BrokenFile]:
    """Read corpora one after the other; see `opened_files`."""
    for source in map(Path, sources):
        with opened_files(source, player, seed) as files:
            yield from files

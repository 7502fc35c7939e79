"""Credits of synthetic mixes: the database of their notes, and their SoundFonts."""

from pathlib import Path
from typing import Final

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.model.model_folder import CorpusCredit
from tatumflow.training.data.corpora import wjazzd
from tatumflow.training.separation.quartet.index import INDEX_FILE, read_index

NOTES: Final = "wjazzd, as synthetic mixes"
"""Name of the database in the credits."""


def quartet_credits(folder: Path) -> tuple[CorpusCredit, ...]:
    """Return the credits of all mixes in a folder and those below it.

    Raises:
        CorpusError: if there are none, or an index cannot be read.
    """
    indexes = [read_index(path) for path in sorted(Path(folder).rglob(INDEX_FILE))]
    fonts = {font.name: font.licence for index in indexes if index is not None for font in index.soundfonts}
    if not fonts:
        raise CorpusError(f"{folder}: holds no synthetic mixes; give a folder of `tatumflow data quartet`")
    return (
        CorpusCredit(name=NOTES, licence=wjazzd.LICENCE),
        *(CorpusCredit(name=name, licence=licence) for name, licence in sorted(fonts.items())),
    )

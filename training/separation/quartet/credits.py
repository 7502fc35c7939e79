"""Whose work made quartets are: the database of their notes, and the SoundFonts that played them."""

from pathlib import Path
from typing import Final

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.model.model_folder import CorpusCredit
from tatumflow.training.data.corpora import wjazzd
from tatumflow.training.separation.quartet.index import INDEX_FILE, read_index

NOTES: Final = "wjazzd, as made quartets"
"""Name under which the database is credited."""


def quartet_credits(folder: Path) -> tuple[CorpusCredit, ...]:
    """Return the credits of all quartets in a folder and those below it.

    Raises:
        CorpusError: if there are none, or an index cannot be read.
    """
    indexes = [read_index(path) for path in sorted(Path(folder).rglob(INDEX_FILE))]
    fonts = {font.name: font.licence for index in indexes if index is not None for font in index.soundfonts}
    if not fonts:
        raise CorpusError(f"{folder}: holds no made quartets; give a folder that `data quartet` filled")
    return (
        CorpusCredit(name=NOTES, licence=wjazzd.LICENCE),
        *(CorpusCredit(name=name, licence=licence) for name, licence in sorted(fonts.items())),
    )

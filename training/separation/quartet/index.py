"""The index of a folder of synthetic mixes, in JSON."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.corpora.piece import Split

FORMAT_VERSION: Final = 1
INDEX_FILE: Final = "index.json"
ITEM_FILE: Final = "item.json"
SYNTHETIC: Final = "synthetic: solos of the Weimar Jazz Database (ODbL 1.0) rendered with SoundFonts"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StemEntry(_Strict):
    """Rendering of a stem.

    Attributes:
        soundfont: File name of the SoundFont.
        instrument: Its instrument.
        bank: Its bank.
        program: Its program.
        level_db: Level while it plays, before all stems were scaled together.
        pan: -1 to 1.
        reverb: Reverb send, 0 to 127.
        modulation: Controller 1, 0 to 127.
    """

    soundfont: str
    instrument: str
    bank: int
    program: int
    level_db: float
    pan: float
    reverb: int
    modulation: int


class RoomEntry(_Strict):
    """The room; see `fluid.Room`."""

    size: float
    damping: float
    width: float
    level: float


class Item(_Strict):
    """A synthetic mix.

    Attributes:
        name: Its folder.
        number: Its place in the seeded order, from 0.
        solo: The solo's file without its ending.
        tune: The tune's key.
        seconds: Length of the music, without the tail.
        transposition: Semitones.
        tempo: Factor of the solo's tempo.
        real_bass: Share of the bass notes that were transcribed, 0 to 1.
        peak: Highest sample, as a share of full scale.
        room: The reverb.
        stems: Rendering of each stem.
    """

    name: str
    number: int
    solo: str
    tune: str
    seconds: float
    transposition: int
    tempo: float
    real_bass: float
    peak: float
    room: RoomEntry
    stems: dict[str, StemEntry]


class SoundFontEntry(_Strict):
    """A SoundFont that was used.

    Attributes:
        name: The file.
        family: The same for SoundFonts that share recordings.
        licence: As far as it is known.
        sha256: SHA-256 of the file.
    """

    name: str
    family: str
    licence: str
    sha256: str


class Index(_Strict):
    """A side of the synthetic mixes.

    Attributes:
        format_version: Version of the file's format.
        note: Origin of the recordings, and the solos' licence.
        split: The side.
        seed: Seed of everything random.
        rate: Samples a second.
        soundfonts: Their SoundFonts.
        items: The recordings.
    """

    format_version: int = FORMAT_VERSION
    note: str = SYNTHETIC
    split: Split
    seed: int
    rate: int
    soundfonts: tuple[SoundFontEntry, ...]
    items: tuple[Item, ...]


def read_index(path: Path) -> Index | None:
    """Read an index; None where there is no file.

    Raises:
        CorpusError: if it cannot be read, or is of another format.
    """
    try:
        return Index.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its content is not an index"
        raise CorpusError(f"{path}: cannot be read ({reason}); generate into another folder") from error


def read_item(folder: Path) -> Item | None:
    """Read the entry in a recording's folder; None where it is missing or incomplete."""
    try:
        return Item.model_validate_json((folder / ITEM_FILE).read_bytes())
    except (OSError, ValidationError):
        return None

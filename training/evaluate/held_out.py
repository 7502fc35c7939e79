"""The packed corpus that an evaluation reads."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from tatumflow.training.data.commands import prepare
from tatumflow.training.data.packing import PackedCorpus


def with_styles(corpus: PackedCorpus, styles: Sequence[str]) -> PackedCorpus:
    """Return a corpus with a model's style ids, by the slug of each row; players without a style get 0."""
    return replace(corpus, index=corpus.index.model_copy(update={"styles": tuple(styles[1:])}))


@contextmanager
def opened_corpus(paths: Sequence[Path], console: Console | None = None) -> Iterator[PackedCorpus]:
    """Open a packed corpus, or pack corpora into a temporary folder within the block.

    `paths` are a packed folder, or folders and archives as `tatumflow data prepare` reads them.

    Raises:
        CorpusError: if one of them cannot be read.
    """
    if len(paths) == 1 and (Path(paths[0]) / "index.json").is_file():
        yield PackedCorpus.open(paths[0])
        return
    with TemporaryDirectory(prefix="tatumflow-") as folder:
        out = Path(folder) / "packed"
        prepare(paths, out, console=console or Console(stderr=True))
        yield PackedCorpus.open(out)

"""Corpora of any MIDI files: downloads, checks, duplicates by note sequence, the split, and their reports."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from corpus_samples import NoteRow, write_pijama_midi
from file_server import FileServer, file_server
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from tatumflow.engine.errors import CorpusError, DownloadError
from tatumflow.training.data.collect.collect import CollectSettings, collect_files
from tatumflow.training.data.collect.commands import PAGE, REPORT, collect, split
from tatumflow.training.data.collect.download import download, read_links
from tatumflow.training.data.collect.names import piece_key, safe_name, safe_path
from tatumflow.training.data.collect.similarity import LEAST_SIMILARITY, find_similar, similarity, sketch
from tatumflow.training.data.collect.split import Shares, with_split
from tatumflow.training.data.commands import prepare, stats
from tatumflow.training.data.corpora.collected import METADATA, CollectedFile, Metadata, read_collected
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.corpora.readers import read_sources
from tatumflow.training.data.packing import PackedCorpus


def melody(seed: int, count: int = 80) -> list[NoteRow]:
    rng = np.random.default_rng(seed)
    onset = np.cumsum(rng.choice([0.15, 0.3, 0.45, 0.6], count))
    pitch = 48 + np.cumsum(rng.integers(-5, 6, count)) % 36
    return [(float(at), 0.1, int(key), 64) for at, key in zip(onset, pitch, strict=True)]


def moved(notes: list[NoteRow], semitones: int = 0, tempo: float = 1.0, louder: int = 0) -> list[NoteRow]:
    return [(at / tempo, long / tempo, key + semitones, loud + louder) for at, long, key, loud in notes]


def quiet() -> Console:
    return Console(file=io.StringIO(), width=200)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pieces, one in two takes, copies of one in four ways, and three files that are no music."""
    source = tmp_path / "source"
    write_pijama_midi(source / "Ann" / "Blue (take 1).mid", melody(1))
    write_pijama_midi(source / "Ann" / "Blue (take 2).mid", melody(2))
    write_pijama_midi(source / "Bob" / "Green.mid", melody(3))
    write_pijama_midi(source / "Bob" / "Red.mid", melody(4))
    write_pijama_midi(source / "Cy" / "a copy.mid", melody(3))
    write_pijama_midi(source / "Cy" / "louder.mid", moved(melody(3), louder=20))
    write_pijama_midi(source / "Cy" / "moved.mid", moved(melody(3), 4, 1.25))
    write_pijama_midi(source / "Cy" / "short.mid", melody(5, 10))
    (source / "Cy" / "text.mid").write_text("no music")
    (source / "Cy" / "cut.mid").write_bytes((source / "Bob" / "Red.mid").read_bytes()[:200])
    return source


def test_a_folder_becomes_a_corpus(folder: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*.mid")}
    out = tmp_path / "corpus"
    console = quiet()
    collect([folder], out, CollectSettings(licence="CC0"), console)
    metadata = read_collected(out)
    assert [(file.file, file.player, file.title) for file in metadata.files] == [
        ("midi/Ann/Blue (take 1).mid", "Ann", "Blue (take 1)"),
        ("midi/Ann/Blue (take 2).mid", "Ann", "Blue (take 2)"),
        ("midi/Bob/Green.mid", "Bob", "Green"),
        ("midi/Bob/Red.mid", "Bob", "Red"),
    ]
    green = metadata.files[2]
    assert (green.notes, green.licence, green.tempo, green.source) == (
        80,
        "CC0",
        120,
        f"{folder}/Bob/Green.mid",
    )
    assert green.lowest == min(row[2] for row in melody(3))
    assert {(Path(one.source).name, one.same_as, one.kind) for one in metadata.duplicates} == {
        ("a copy.mid", green.file, "the same file"),
        ("louder.mid", green.file, "the same notes"),
        ("moved.mid", green.file, "transposed or at another tempo"),
    }
    (transposed,) = (one for one in metadata.duplicates if one.source.endswith("moved.mid"))
    assert transposed.semitones == 4
    assert transposed.tempo_ratio == pytest.approx(1.25, rel=0.01)
    assert {Path(one.source).name for one in metadata.broken} == {"short.mid", "text.mid", "cut.mid"}
    assert {path: path.read_bytes() for path in folder.rglob("*.mid")} == before, "sources are only read"
    report = (out / REPORT).read_text(encoding="utf-8")
    assert "has 10 notes, fewer than 32" in report
    assert "moved.mid: transposed or at another tempo as midi/Bob/Green.mid (+4 semitones" in report
    page = (out / PAGE).read_text(encoding="utf-8")
    assert "Ann" in page
    assert "image/svg+xml" in page


def test_collecting_again_changes_nothing_and_more_is_added(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    first = collect_files([folder], out)
    files = {path: path.read_bytes() for path in out.rglob("*.mid")}
    assert collect_files([folder], out) == first
    assert {path: path.read_bytes() for path in out.rglob("*.mid")} == files
    for seed in range(30, 50):
        write_pijama_midi(tmp_path / "more" / f"{chr(seed + 67)} tune.mid", melody(seed))
    second = collect_files([tmp_path / "more"], out)
    assert second.files[: len(first.files)] == first.files, "what was held out stays so"
    assert len(second.files) == len(first.files) + 20
    assert second.broken == first.broken, "what an earlier run has refused is still named"
    assert {file.split for file in second.files} == {"train", "val", "test"}


def test_a_killed_run_is_gone_on_with(folder: Path, tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def kill(count: int) -> None:
        if count == 4:
            raise Killed

    out = tmp_path / "corpus"
    with pytest.raises(Killed):
        collect_files([folder], out, progress=kill)
    assert len(list(out.rglob("*.mid"))) == 3
    collect_files([folder], out)
    collect_files([folder], tmp_path / "whole")
    assert read_collected(out) == read_collected(tmp_path / "whole")
    names = [sorted(p.relative_to(c).as_posix() for p in c.rglob("*.mid")) for c in (out, tmp_path / "whole")]
    assert names[0] == names[1]


def test_duplicates_can_be_kept_on_the_side_of_their_piece(folder: Path, tmp_path: Path) -> None:
    metadata = collect_files([folder], tmp_path / "corpus", CollectSettings(keep_duplicates=True))
    marked = [file for file in metadata.files if file.duplicate_of]
    assert {Path(file.file).name for file in marked} == {"louder.mid", "moved.mid"}
    assert len({file.split for file in metadata.files if file.piece == "green"}) == 1
    assert sum(file.piece == "green" for file in metadata.files) == 3
    assert len({file.split for file in metadata.files if file.piece == "blue"}) == 1


def test_a_folder_of_something_else_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "text.tex").write_text("x")
    with pytest.raises(CorpusError, match="no collected corpus"):
        collect_files([folder], tmp_path / "thesis")
    with pytest.raises(CorpusError, match="no such folder"):
        collect_files([tmp_path / "nowhere"], tmp_path / "corpus")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text[:-20], "metadata.json"),
        (lambda text: text.replace('"format_version": 1', '"format_version": 9'), "has format 9"),
        (lambda text: text.replace("midi/Bob/Red.mid", "../Red.mid"), "must lie in the corpus"),
        (lambda text: text.replace('"train"', '"exam"', 1), r"files\.\d\.split"),
    ],
)
def test_damaged_metadata_is_one_line(folder: Path, tmp_path: Path, damage, reason: str) -> None:
    out = tmp_path / "corpus"
    collect_files([folder], out)
    (out / METADATA).write_text(damage((out / METADATA).read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(CorpusError, match=reason) as caught:
        list(read_sources([out]))
    assert "\n" not in str(caught.value)


def test_training_honours_the_split(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    collect_files([folder], out, CollectSettings(licence="CC0"))
    metadata = split(out, seed=7, val=0.3, test=0.3, console=quiet())
    sides = {file.file: file.split for file in metadata.files}
    assert set(sides.values()) == {"train", "val", "test"}
    packed = PackedCorpus.open(prepare([out], tmp_path / "packed", console=quiet()).out)
    assert {piece.name: piece.split for piece in packed.index.pieces} == sides
    assert {piece.name for piece in packed.pieces("test")} == {
        name for name in sides if sides[name] == "test"
    }
    assert packed.index.corpora[0].licence == "CC0"


def test_the_page_of_statistics_names_broken_files(folder: Path, tmp_path: Path) -> None:
    counted = stats([folder], console=quiet(), page=tmp_path / "page")
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert len(counted.broken_files) == counted.broken == 2
    for text in ("Cy/text.mid", "Cy/cut.mid", "Ann", "Bob", "source"):
        assert text in page
    assert page.count("data:image/svg+xml") == 2
    assert counted.player_pieces == {"Ann": 2, "Bob": 2, "Cy": 4}


# Similarity


@st.composite
def melodies(draw: st.DrawFn) -> list[NoteRow]:
    steps = draw(st.lists(st.tuples(st.integers(1, 6), st.integers(-6, 6)), min_size=40, max_size=80))
    onset = 0.12 * np.cumsum([step[0] for step in steps])
    pitch = 55 + np.cumsum([step[1] for step in steps]) % 24
    return [(float(at), 0.1, int(key), 64) for at, key in zip(onset, pitch, strict=True)]


def notes_of(rows: list[NoteRow]) -> np.ndarray:
    return note_array(*np.array(rows).T)


@settings(max_examples=40, deadline=None)
@given(melodies(), st.integers(-12, 12), st.floats(0.7, 1.4))
def test_key_and_tempo_change_no_n_gram(rows: list[NoteRow], semitones: int, tempo: float) -> None:
    one, other = sketch(notes_of(rows)), sketch(notes_of(moved(rows, semitones, tempo)))
    assert similarity(one, other) > 0.9
    assert one.exact == sketch(notes_of(moved(rows, louder=10))).exact


def test_copies_are_found_and_other_music_is_not() -> None:
    files = [notes_of(melody(seed, 200)) for seed in range(12)]
    less = np.delete(files[5], np.arange(0, 200, 20))
    files += [notes_of(moved(melody(2, 200), -3, 0.9)), files[8].copy(), less]
    found = [(pair.one, pair.other, pair.exact) for pair in find_similar([sketch(one) for one in files])]
    assert found == [(2, 12, False), (8, 13, True), (5, 14, False)]
    shares = [similarity(sketch(files[i]), sketch(files[j])) for i in range(12) for j in range(i)]
    assert max(shares) < LEAST_SIMILARITY / 2


def test_files_without_a_melody_are_no_duplicates() -> None:
    scale = notes_of([(0.2 * i, 0.1, 40 + i, 64) for i in range(40)])
    chord = notes_of([(0.0, 1.0, 60 + i, 64) for i in range(5)])
    assert find_similar([sketch(scale), sketch(chord), sketch(scale[:30])]) == []
    assert find_similar([]) == []


# Names, and the split


@given(st.text(max_size=120), st.text(max_size=120))
@settings(max_examples=60, deadline=None)
def test_any_name_is_safe(player: str, title: str) -> None:
    path = PurePosixPath(safe_path(player, title))
    assert path.parts[0] == "midi"
    assert len(path.parts) == 3
    for part in path.parts:
        assert part not in ("", ".", "..")
        assert len(part.encode()) <= 90
        assert not set(part) & set('<>:"/\\|?*\0\n')
        assert part == part.strip()
        assert not part.endswith(".")


def test_names_that_systems_reserve_are_changed() -> None:
    assert safe_name("con") == "_con"
    assert safe_name("LPT1.mid") == "_LPT1.mid"
    assert safe_name("Für Elise.mid") == "Für Elise.mid"


@pytest.mark.parametrize(
    ("titles", "key"),
    [
        (("Tea for Two (take 2)", "03 - Tea For Two", "tea_for_two-1", "Tea for Two [live]"), "teafortwo"),
        (("Cherokee take 1", "Cherokee Take II", "Cherokee_2"), "cherokee"),
        (("track 01", "007", "Untitled"), ""),
    ],
)
def test_takes_have_the_key_of_their_piece(titles: tuple[str, ...], key: str) -> None:
    assert {piece_key(title) for title in titles} == {key}


def listed(pieces: list[tuple[str, int]]) -> list[CollectedFile]:
    return [
        CollectedFile(
            file=f"midi/{number}.mid",
            source="",
            sha256="0" * 64,
            title=name,
            notes=notes,
            seconds=1.0,
            lowest=40,
            highest=50,
            piece=name,
        )
        for number, (name, notes) in enumerate(pieces)
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from([f"piece {i}" for i in range(60)]), st.integers(500, 1500)), min_size=3
    ),
    st.integers(0, 5),
)
@settings(deadline=None)
def test_a_piece_is_on_one_side_and_the_sides_have_their_shares(
    pieces: list[tuple[str, int]], seed: int
) -> None:
    files = with_split(listed(pieces), Shares(), seed)
    assert files == with_split(listed(pieces), Shares(), seed)
    sides: dict[str, set[str]] = {}
    for file in files:
        sides.setdefault(file.piece, set()).add(file.split)
    assert all(len(of) == 1 for of in sides.values())
    if len(sides) > 2:
        assert {side for of in sides.values() for side in of} == {"train", "val", "test"}
    total = sum(file.notes for file in files)
    largest = max(sum(file.notes for file in files if file.piece == piece) for piece in sides)
    for side, share in (("val", 0.1), ("test", 0.1)):
        assert sum(file.notes for file in files if file.split == side) <= share * total + largest


def test_another_seed_gives_another_split_and_bad_shares_are_refused() -> None:
    pieces = listed([(f"piece {i}", 1000) for i in range(50)])
    one, other = (with_split(pieces, Shares(), seed) for seed in (0, 1))
    assert one != other
    assert [sum(file.split == side for file in one) for side in ("train", "val", "test")] == [40, 5, 5]
    assert {file.split for file in with_split(pieces, Shares(0.2, 0), 0)} == {"train", "val"}
    with pytest.raises(CorpusError, match=r"0 to 0\.5"):
        Shares(0.6)


# Links


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as state:
        yield state


def links(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["# a comment", "", *lines]), encoding="utf-8")
    return path


def test_links_to_files_and_archives(folder: Path, server: FileServer, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(folder / "Ann" / "Blue (take 1).mid", "Ann/Blue.mid")
        archive.write(folder / "Cy" / "text.mid", "text.mid")
        archive.writestr("../../escaped.mid", (folder / "Ann" / "Blue (take 2).mid").read_bytes())
    server.files = {
        "red %.mid": (folder / "Bob" / "Red.mid").read_bytes(),
        "all.zip": (tmp_path / "all.zip").read_bytes(),
        "bad.zip": b"no archive",
    }
    listing = links(
        tmp_path / "links.txt",
        f'{server.url}/red%20%25.mid player="Art Tatum" title="Red" licence=CC0',
        f"{server.url}/all.zip licence=CC-BY",
        f"{server.url}/bad.zip",
        f"{server.url}/gone.mid",
    )
    out = tmp_path / "corpus"
    metadata = collect_files([listing], out)
    assert [(file.file, file.licence) for file in metadata.files] == [
        ("midi/Art Tatum/Red.mid", "CC0"),
        ("midi/Ann/Blue.mid", "CC-BY"),
        ("midi/unknown/escaped.mid", "CC-BY"),
    ]
    assert metadata.files[1].source == f"{server.url}/all.zip:Ann/Blue.mid"
    reasons = {one.source.removeprefix(server.url): one.reason for one in metadata.broken}
    assert set(reasons) == {"/all.zip:text.mid", "/bad.zip", "/gone.mid"}
    assert "error 404" in reasons["/gone.mid"]
    assert not (tmp_path / "escaped.mid").exists()
    count = len(server.requests)
    assert collect_files([listing], out) == metadata
    assert server.requests[count:] == ["gone.mid"], "what is there is not downloaded again"


def test_a_download_goes_on_where_it_was(server: FileServer, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    server.files, server.cut_after = {"big.zip": content}, 300_000
    with pytest.raises(DownloadError, match=r"300,000 of 1,024,000 bytes came; run the command again"):
        download(f"{server.url}/big.zip", tmp_path, 1 << 30)
    server.cut_after = None
    done = download(f"{server.url}/big.zip", tmp_path, 1 << 30)
    assert server.ranges_requested == ["bytes=300000-"]
    assert done.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == [done.name]


def test_a_file_that_changed_meanwhile_is_downloaded_anew(server: FileServer, tmp_path: Path) -> None:
    server.files, server.cut_after = {"big.zip": b"old" * 1000}, 500
    with pytest.raises(DownloadError):
        download(f"{server.url}/big.zip", tmp_path, 1 << 30)
    server.files, server.cut_after, server.tag = {"big.zip": b"new" * 1000}, None, '"2"'
    assert download(f"{server.url}/big.zip", tmp_path, 1 << 30).read_bytes() == b"new" * 1000


def test_a_download_that_is_too_large_is_refused(server: FileServer, tmp_path: Path) -> None:
    server.files = {"big.zip": bytes(3 << 20)}
    with pytest.raises(DownloadError, match="larger than 2 MB"):
        download(f"{server.url}/big.zip", tmp_path, 2 << 20)
    with pytest.raises(DownloadError, match="cannot be reached"):
        download("http://127.0.0.1:9/x.mid", tmp_path, 1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ftp://host/x.mid", "no http or https address"),
        ("file:///etc/passwd", "no http or https address"),
        ("https://host/x.mid colour=red", "write title="),
        ('https://host/x.mid title="open', "close the quotes"),
    ],
)
def test_a_bad_line_of_links_is_named(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(CorpusError, match=rf"line 3: .*{reason}"):
        read_links(links(tmp_path / "links.txt", line))


def test_a_link_given_twice_is_one(tmp_path: Path) -> None:
    listing = links(tmp_path / "links.txt", "https://host/a#1.mid title=A", "https://host/a#1.mid")
    assert [(link.url, link.title) for link in read_links(listing)] == [("https://host/a#1.mid", "A")]


def test_metadata_is_the_same_after_writing() -> None:
    metadata = Metadata(seed=3, files=tuple(with_split(listed([("a", 5), ("b", 6)]), Shares(), 0)))
    assert Metadata.model_validate_json(metadata.model_dump_json()) == metadata
    assert replace(CollectSettings(), seed=1).limits == CollectSettings().limits

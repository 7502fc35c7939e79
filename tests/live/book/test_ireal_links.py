"""Links of iReal Pro: scrambling, fields, playlists, pages."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.errors import ChartError
from tatumflow.live.book.ireal_links import LinkedTune, read_links, scramble, unscramble, write_link

MUSIC = "[T44A BLZC DLZE FLZG, ALZA BLZC DLZE FLZG ALZA B |"
SCRAMBLED = "| B A BLZCZLF EZLD CZLB ZALA ,GZLF EZLD G ALZA44T["


@pytest.mark.parametrize(
    ("scrambled", "music"),
    [
        # A block of 50 is mirrored in part only where more than one character follows it.
        (MUSIC + " ", MUSIC + " "),
        (SCRAMBLED + "C ", MUSIC + "C "),
    ],
)
def test_blocks_of_fifty_are_unscrambled(scrambled: str, music: str) -> None:
    assert unscramble(scrambled) == music.replace("LZ", " |")


def test_abbreviations_are_spelled_out() -> None:
    assert unscramble("C7XyQKcLZ") == "C7   Kc |"
    assert unscramble("C7XyQKcl LZ") == "C7   | x  |"


@given(st.text("ABCDEFG#b-^7 |[]{}*T4xNQS,<>/", max_size=400))
def test_what_is_scrambled_comes_back(music: str) -> None:
    assert unscramble(scramble(music)) == music


fields = st.text("Abc 'é-.&%?#", max_size=20).map(lambda text: " ".join(text.split()))
tunes = st.builds(
    LinkedTune,
    title=fields.map(lambda text: text or "x"),
    composer=fields,
    style=fields,
    key=st.sampled_from(["C", "Bb", "F#-"]),
    music=st.sampled_from(["[T44C   |F7 G7 Z ", "[T34" + "D-7   |" * 40 + "Z"]),
    tempo=st.integers(0, 400).map(float),
)


@given(st.lists(tunes, min_size=1, max_size=4))
def test_links_come_back_with_every_field(written: list[LinkedTune]) -> None:
    playlist = read_links(write_link(written, "Evening"))
    assert playlist.tunes == tuple(written)
    assert playlist.name == ("Evening" if len(written) > 1 else "")


def test_links_are_found_in_a_page() -> None:
    link = write_link([LinkedTune("Tom's & Tune", "Who", "Swing", "C", "[T44C   Z ")])
    page = f"<html><a href=\"{link}\">one</a> <a href='{link}'>two</a>\n<p>{link}</p></html>"
    assert [tune.title for tune in read_links(page).tunes] == ["Tom's & Tune"] * 3


def test_plain_links_are_read() -> None:
    tune = "Volare=Modugno Domenico=Medium Swing=C=n=[*AT44C   |C#o7   |D-7   Z "
    for content in (tune, f"{tune}==={tune.replace('Volare', 'Other')}"):
        for link in (f"irealbook://{quote(content)}", f"irealb://{content}"):
            found = read_links(link).tunes
            assert (found[0].title, found[0].composer, found[0].key) == ("Volare", "Modugno Domenico", "C")
            assert found[0].music.startswith("[*AT44C   |")
            assert len(found) == 1 + content.count("===")


def test_a_tune_without_composer_does_not_shift_the_others() -> None:
    one = "One===Swing=C==1r34LbKcu7[T44C   Z =Groove=120=3"
    two = "Two=Who==Bossa=F-==1r34LbKcu7[T44F-   Z ==0=0"
    first, second = read_links(f"irealb://{one}==={two}===Mine").tunes
    assert (first.title, first.composer, first.style, first.key, first.tempo) == (
        "One",
        "",
        "Swing",
        "C",
        120,
    )
    assert (second.title, second.composer, second.style, second.key) == ("Two", "Who", "Bossa", "F-")


@pytest.mark.parametrize("text", ["", "Dm7 | G7", "irealb://", "irealb://Title=Composer", "https://x.org"])
def test_what_holds_no_tune_is_refused(text: str) -> None:
    with pytest.raises(ChartError, match="link"):
        read_links(text)

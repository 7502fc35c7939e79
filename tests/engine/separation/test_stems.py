import pytest

from tatumflow.engine.errors import SettingError
from tatumflow.engine.separation.stems import FOUR_STEMS, QUARTET, VOCALS_OTHER, parse_stems


def test_presets_are_found_by_name():
    assert parse_stems("vocals-other") == VOCALS_OTHER
    assert parse_stems("four") == FOUR_STEMS
    assert parse_stems("quartet").names == ("horn", "piano", "bass", "drums")


def test_custom_stems_list_their_sources():
    stems = parse_stems("vocals, other=drums+bass+other")
    assert stems == VOCALS_OTHER
    assert stems.sources == ("vocals", "drums", "bass", "other")
    assert parse_stems("horn,piano,bass,drums") == QUARTET
    assert len(parse_stems("bass")) == 1


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "''"),
        ("bass,bass", "each name once"),
        ("Bass", "'Bass'"),
        ("a=x+y,b=y", "'y'"),
        ("a=", "''"),
        ("a=x+x", "each once"),
        ("../up", "up"),
    ],
)
def test_what_is_no_stems_is_refused_with_the_part_that_is_wrong(text: str, part: str):
    with pytest.raises(SettingError, match=part):
        parse_stems(text)

import pytest

from tatumflow.engine.model.style_names import player_name


@pytest.mark.parametrize(
    ("slug", "name"),
    [
        ("charlie-parker", "Charlie Parker"),
        ("mccoy-tyner", "McCoy Tyner"),
        ("jim-mcneely", "Jim McNeely"),
        ("j-j-johnson", "J. J. Johnson"),
        ("kenny-drew-jr", "Kenny Drew Jr."),
        ("andy-laverne", "Andy LaVerne"),
        ("hiromi", "Hiromi"),
        ("mc", "Mc"),
        ("", ""),
    ],
)
def test_players_are_named_as_they_are_written(slug: str, name: str) -> None:
    assert player_name(slug) == name

"""Every kind of bad value in every section is refused in plain words."""

import pytest
from pydantic import BaseModel

from tatumflow.engine.controls import CONTROL_SPECS
from tatumflow.engine.errors import SettingError
from tatumflow.live.charts import read_chart
from tatumflow.live.settings import Settings, load_settings, setting_names

OF_THE_LIBRARY = (
    *("Input should", "valid ", "Extra inputs", "is not a float", "Field required", "Value error"),
    *("pydantic", "unable to parse", "greater than", "less than", "type=", "dictionary", "tuple"),
)
BAD = (
    *("loud", "", "x" * 99, -1, 10**9, 10**30, 1.5, -0.1, 1e9, float("nan"), float("inf"), True, None),
    *([], [1, 2, 3], ["a"], [0], {}, {"a": "b"}, {1: 2}, {"turn": "x"}, {"turn": 5.5}),
)
SECTIONS = [
    name
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
]


def refusal(name: str, value: object) -> SettingError | None:
    try:
        Settings().with_changes({name: value})
    except SettingError as error:
        return error
    return None


def assert_plain(text: str) -> None:
    assert "\n" not in text
    for words in OF_THE_LIBRARY:
        assert words not in text, text


@pytest.mark.parametrize("name", [*setting_names(), *Settings.model_fields])
def test_a_bad_value_is_refused_in_plain_words_that_name_the_setting(name):
    refused = [str(error) for value in BAD if (error := refusal(name, value)) is not None]
    assert len(refused) > 3
    for text in refused:
        assert_plain(text)
        assert name.partition(".")[2] in text


@pytest.mark.parametrize("section", SECTIONS)
def test_a_setting_that_does_not_exist_is_named_with_those_that_do(section):
    with pytest.raises(SettingError, match=rf"{section}\.colour: is not a setting; the settings here are"):
        Settings().with_changes({f"{section}.colour": 1})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ports.api": "oss"}, "ports.api: 'oss' is not one of auto, alsa, jack, coremidi, winmm"),
        ({"ports.virtual": "often"}, "ports.virtual: 'often' is not true or false"),
        ({"ports.virtual_name": ""}, "ports.virtual_name: '' is not text of 1 to 32 characters"),
        ({"ports.input": 3}, "ports.input: 3 is not text; put it in quotation marks"),
        ({"synth.gain": "loud"}, "synth.gain: 'loud' is not a number from 0.0 to 5.0"),
        ({"synth.gain": 6}, "synth.gain: 6 is outside the allowed range 0.0 to 5.0"),
        ({"synth.program": 1.5}, "synth.program: 1.5 is not a whole number from 0 to 127"),
        (
            {"audio.channels": [1, 2, 3]},
            "[1, 2, 3] is not a list of at most 2, each a whole",
        ),
        ({"audio.channels": [0]}, "audio.channels.0: 0 is not a whole number from 1 on"),
        ({"audio.allowance": "x"}, "audio.allowance: 'x' is not a number from 0.0 to 2.0 or null"),
        ({"osc.host": ""}, "osc.host: '' is not text that is not empty"),
        ({"osc": 3}, "osc: 3 is not a list of `name: value` lines"),
        ({"controllers": {"turn": "x"}}, "controllers.turn: 'x' is not a whole number"),
        ({"controllers": {3: 4}}, "controllers.3: 3 is not a name"),
        ({"controllers": {"turn": 64}}, "controllers: turn: controller 64 cannot be assigned"),
        ({"temprature": 1}, "did you mean temperature"),
        ({"stem": "horn"}, "did you mean audio.stem?"),
        ({"controls.colour": 1}, "'colour' is not a control"),
    ],
)
def test_each_kind_of_mistake_has_its_words(changes, said):
    with pytest.raises(SettingError) as caught:
        Settings().with_changes(changes)
    assert said in str(caught.value)


def test_a_chart_file_with_a_mistake_is_refused_in_plain_words(tmp_path):
    path = tmp_path / "chart.yaml"
    for text, said in (
        ("name: Blues", "chart: is missing; give text"),
        ("chart: 3", "chart: 3 is not text; put it in quotation marks"),
        ("{chart: C, beats_per_bar: 20}", "beats_per_bar: 20 is outside the allowed range 1 to 16"),
        ("{chart: C, key: F}", "key: is not a field; the fields here are chart, beats_per_bar, name"),
        ("3", "3 is not a list of `name: value` lines"),
    ):
        path.write_text(text)
        with pytest.raises(Exception, match=r"chart\.yaml") as caught:
            read_chart(path)
        assert said in str(caught.value)


def test_text_is_read_as_in_a_file_and_text_settings_need_no_quotation_marks():
    settings = Settings().with_changes(
        {
            "audio.input": "3",
            "audio.channels": "[2]",
            "audio.allowance": "null",
            "ports.virtual": "false",
            "synth.gain": "1.5",
            "controllers.turn": "67",
            "model": "1",
            "temperature": "1.2",
            "clock_out": "true",
            "style": "",
            "controls.seed": "7",
        }
    )
    assert (settings.audio.input, settings.audio.channels, settings.audio.allowance) == ("3", (2,), None)
    assert (settings.ports.virtual, settings.synth.gain, settings.model) == (False, 1.5, "1")
    assert settings.controllers == {"turn": 67}
    controls = settings.controls
    assert (controls.temperature, controls.clock_out, controls.style, controls.seed) == (1.2, 1, "", 7)


def test_both_ends_of_the_register_are_set_together(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("controls: {register_low: 90, register_high: 100}")
    settings = load_settings(path).with_changes({"register_low": "30", "register_high": "40"})
    assert (settings.controls.register_low, settings.controls.register_high) == (30, 40)


def test_every_default_can_be_set_by_its_name():
    assert Settings().with_changes({n: s.default for n, s in CONTROL_SPECS.items()}) == Settings()

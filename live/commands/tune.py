"""The tune that is improvised over, and how long: some seconds, or whole choruses of its form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.errors import SettingError
from tatumflow.live.charts import read_chords

_SECONDS_A_MINUTE: Final = 60.0


@dataclass(frozen=True)
class Length:
    """How long to play alone.

    Attributes:
        seconds: Seconds.
        form: Whether they are whole choruses, so that the last phrase ends with them.
    """

    seconds: float
    form: bool = False


MINUTE: Final = Length(_SECONDS_A_MINUTE)
"""The length where none is given."""


def over_tune(tune: str | None, changes: Mapping[str, object]) -> Mapping[str, object]:
    """Return changes with the chart of a tune, and its tempo where they have none and the chart names one.

    Args:
        tune: A chart's name, also of the book, its text or a file; None or empty for none.
        changes: Values by name.

    Raises:
        ChartError: if there is no such tune.
        SettingError: if the changes have another chart.
    """
    if not tune:
        return changes
    if changes.get("chords", tune) != tune:
        raise SettingError("--tune and --chords both name a chart; give one of them")
    text = read_chords(tune)
    chart = chart_named(text)
    tempo = {} if chart.tempo is None or "tempo" in changes else {"tempo": f"{chart.tempo:g}"}
    return {**changes, "chords": tune if text == tune else text, **tempo}


def check_band(changes: Mapping[str, object], controls: Controls) -> None:
    """Refuse a band that was asked for without a chart.

    Raises:
        SettingError: if the changes turn the band on, and there is no chart.
    """
    if "band" in changes and controls.band and not controls.chords:
        raise SettingError("--band plays over a chart; give one, such as --chords 'blues in F'")


def length_of(controls: Controls, seconds: float | None, choruses: int | None, *, alone: bool) -> Length:
    """Return how long to play: choruses of the controls' chart at their tempo, else seconds, else a minute.

    Raises:
        SettingError: if both are given, or choruses without a chart or for a file that is answered.
    """
    if choruses is None:
        return MINUTE if seconds is None else Length(seconds)
    if seconds is not None:
        raise SettingError("--seconds and --choruses both set the length; give one of them")
    if not alone:
        raise SettingError("--choruses is the length of playing alone; leave it out, or the MIDI file")
    if not controls.chords:
        raise SettingError("--choruses counts those of a tune; give one with --tune, such as 'blues in F'")
    beats = chart_named(controls.chords).beats
    return Length(choruses * beats * _SECONDS_A_MINUTE / controls.tempo, form=True)

"""The drums: time with the hi-hat on two and four, fills at section ends, and what follows the players."""

import pytest

from tatumflow.engine.band.band import Band
from tatumflow.engine.band.band_note import BandNote
from tatumflow.engine.band.drum_keys import CRASHES, KICK, PEDAL_HAT, RIDES, SIDE_STICK, SNARE, TOMS
from tatumflow.engine.band.drums import energy
from tatumflow.engine.band.form import Form
from tatumflow.engine.band.heard import NOTHING, Heard
from tatumflow.engine.band.styles import STYLES
from tatumflow.engine.band.swing import offbeat
from tatumflow.engine.harmony.chart import Chart, Section, named_chart, parse_chart

FOUR = parse_chart("Dm7 | G7 | Cmaj7 | A7 | " * 8)
THREE = parse_chart("Dm7 | G7 | Cmaj7 | A7 | " * 8, beats_per_bar=3)
QUIET, WILD = Heard(0.5, 45.0, 0.0, 0.1), Heard(4.0, 110.0, 0.0, 0.1)


def drums(
    chart: Chart, style: str = "swing", heard: Heard = NOTHING, seed: int = 0, tempo: float = 160.0
) -> list[BandNote]:
    form, band = Form(chart), Band(STYLES[style], seed)
    bars = [form.bar(number) for number in range(len(chart.bars))]
    notes = [n for bar in bars if bar for n in band.bar(bar, form.bar(bar.number + 1), tempo, heard)]
    return [note for note in notes if note.part == "drums"]


def test_swing_has_the_ride_on_the_beats_and_the_hat_on_two_and_four():
    notes = drums(FOUR)
    assert sorted(n.beat for n in notes if n.pitch == PEDAL_HAT) == [b for b in range(128) if b % 4 in (1, 3)]
    rides = [n.beat for n in notes if n.pitch in RIDES]
    assert {round(beat % 1, 6) for beat in rides} <= {0.0, round(offbeat(160.0), 6)}
    assert len({beat for beat in rides if beat == int(beat)}) > 0.85 * 128
    feathered = [n for n in notes if n.pitch == KICK and n.velocity < 45]
    assert len(feathered) > 60


def test_a_waltz_has_three_beats_with_the_hat_on_two():
    hats = [n.beat % 3 for n in drums(THREE, "jazz waltz") if n.pitch == PEDAL_HAT]
    assert hats.count(1) == len(THREE.bars)
    assert 0 not in hats


def test_bossa_has_the_clave_over_two_bars_in_even_eighths():
    notes = drums(FOUR, "bossa")
    sticks = [n.beat for n in notes if n.pitch == SIDE_STICK and n.beat < 8]
    assert sticks == [0, 1.5, 3, 5, 6.5]
    assert {n.beat % 0.5 for n in notes} == {0.0}


def test_fills_come_in_the_last_bars_of_sections_and_crashes_on_their_first_beats():
    chart = Chart(FOUR.bars[:16], 4, "", (Section("A", 0), Section("B", 6)))
    fills: set[int] = set()
    crashes: set[float] = set()
    for seed in range(20):
        notes = drums(chart, seed=seed, heard=WILD)
        fills |= {int(n.beat // 4) for n in notes if n.pitch in TOMS}
        crashes |= {n.beat for n in notes if n.pitch in CRASHES}
    # Bars before a section or a chorus, and before each four bars of one.
    assert {5, 15} <= fills <= {3, 5, 9, 13, 15}
    assert crashes <= {16, 24, 40, 56}
    assert 24 in crashes


def test_density_and_loudness_make_more_and_louder_drums_within_a_range():
    quiet, plain, wild = (drums(FOUR, heard=heard) for heard in (QUIET, NOTHING, WILD))
    around = [
        sum(n.pitch in (SNARE, KICK) and n.velocity > 45 for n in notes) for notes in (quiet, plain, wild)
    ]
    assert around[0] < around[1] < around[2]
    loud = [sum(n.velocity for n in notes if n.pitch in RIDES) / sum(n.pitch in RIDES for n in notes)
            for notes in (quiet, plain, wild)]  # fmt: skip
    assert loud[0] < loud[1] < loud[2] < loud[0] + 30


def test_energy_is_bounded():
    assert energy(Heard(100.0, 127.0, 1.0, 0.0)) == 1.8
    assert energy(Heard(0.0, 1.0, 0.0, 0.0)) == 0.4


@pytest.mark.parametrize("style", STYLES)
def test_every_style_plays_every_metre(style: str):
    for beats in (2, 3, 4, 5, 6, 7, 9, 11):
        chart = parse_chart("Dm7 | G7 | Cmaj7 | A7", beats_per_bar=beats)
        played = {int(n.beat // beats) for n in drums(chart, style)}
        assert played == {0, 1, 2, 3}


def test_a_named_chart_is_played_the_same_again_and_otherwise_with_another_seed():
    chart = named_chart("blues in F")
    assert drums(chart, seed=3) == drums(chart, seed=3)
    assert drums(chart, seed=3) != drums(chart, seed=4)

"""Rendered quartets: the same for a seed, apart between the sides, and their stems the mixture to the bit."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from quartet_samples import solo, soundfont, write_weimar

from tatumflow.engine.errors import CorpusError, DeviceError, SettingError
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.separation.stems import QUARTET
from tatumflow.training.data.corpora.source import seeded_split
from tatumflow.training.separation.data.parts import mixture_of
from tatumflow.training.separation.data.stem_folder import read_stem_folder
from tatumflow.training.separation.quartet import soundfonts
from tatumflow.training.separation.quartet.fluid import RATE, Room, Voice, render
from tatumflow.training.separation.quartet.generate import (
    QuartetSettings,
    arrangement_of,
    generate_quartets,
    plan_items,
)
from tatumflow.training.separation.quartet.index import INDEX_FILE, read_index
from tatumflow.training.separation.quartet.instruments import INSTRUMENTS, Instrument, choose_instrument
from tatumflow.training.separation.quartet.mixing import Balance, mix, panned, playing_level
from tatumflow.training.separation.quartet.soundfonts import SoundFont, check_families, open_soundfont

TUNES = [f"Player_Tune{letter}_Solo" for letter in "ABCDEFGHIJKLMNOP"]
DRY = Room(0.5, 0.5, 50, 0.0)
EVERY = frozenset((one.bank, one.program) for choices in INSTRUMENTS.values() for one in choices)
FLUID = pytest.mark.needs("fluidsynth", "soundfont")


def font(name: str = "a", family: str = "a") -> SoundFont:
    return SoundFont(Path(f"{name}.sf2"), family, "MIT", "0", EVERY)


def test_the_same_seed_plans_the_same_recordings_and_more_hours_begin_with_them():
    solos = [solo(name=f"{letter}_Solo") for letter in "abc"]
    few = plan_items(solos, [font("a"), font("b")], 0.01, seed=1)
    more = plan_items(solos, [font("a"), font("b")], 0.03, seed=1)
    assert more[: len(few)] == few
    assert sum(item.seconds for item in few) >= 36
    assert {item.solo for item in more[:3]} == {s.name for s in solos}, "each once before any again"
    assert plan_items(solos, [font("a"), font("b")], 0.01, seed=2) != few
    arrangements = [arrangement_of(more[0], solos[0], 1) for _ in range(2)]
    assert arrangements[0] == arrangements[1]


def test_recordings_vary_in_fonts_instruments_rooms_levels_and_keys():
    items = plan_items([solo()], [font("a"), font("b")], 0.3, seed=0)
    for stem in QUARTET.names:
        entries = [item.stems[stem] for item in items]
        assert {entry.soundfont for entry in entries} == {"a.sf2", "b.sf2"}
        assert len({entry.instrument for entry in entries}) >= 3
        assert len({(entry.level_db, entry.pan, entry.reverb) for entry in entries}) > 20
    assert len({item.room.size for item in items}) > 20
    assert any(item.room.level == 0 for item in items)
    assert len({item.transposition for item in items}) == 7


def test_a_horn_has_the_notes_it_plays():
    low = [Note(0.1 * i, 0.1, pitch, 80) for i, pitch in enumerate(range(36, 60))]
    for seed in range(20):
        chosen = choose_instrument(INSTRUMENTS["horn"], low, np.random.default_rng(seed))
        assert chosen.lowest <= 36
    none = choose_instrument([Instrument("x", 1, highest=10)], low, np.random.default_rng(0))
    assert none.name == "x"


def test_soundfonts_of_the_other_side_are_refused_by_family():
    check_families([font("a", "a")], ["b"], "val")
    with pytest.raises(SettingError, match="val side"):
        check_families([font("a", "b")], ["b"], "val")


def test_known_soundfonts_have_one_side_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("FluidR3_GM.sf2", "MuseScore_General_Full.sf3", "sf_GMbank.sf2", "Unknown.sf2"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "default-GM.sf2").symlink_to(tmp_path / "FluidR3_GM.sf2")
    monkeypatch.setattr(soundfonts, "FOLDERS", (tmp_path, tmp_path / "none"))
    monkeypatch.setattr(soundfonts, "find_spec", lambda name: None)
    sides = {side: [p.name for p in soundfonts.installed_soundfonts(side)] for side in ("train", "val")}
    assert sides == {"train": ["FluidR3_GM.sf2", "MuseScore_General_Full.sf3"], "val": ["sf_GMbank.sf2"]}
    (tmp_path / "sf_GMbank.sf2").unlink()
    with pytest.raises(SettingError, match="--soundfont"):
        soundfonts.installed_soundfonts("val")


def test_a_mix_is_the_sum_of_its_stems_to_the_bit_and_never_clips():
    rng = np.random.default_rng(0)
    stems = {name: rng.normal(0, 3, (20_000, 2)).astype(np.float32) for name in "abcd"} | {
        "silent": np.zeros((20_000, 2), np.float32)
    }
    mixed = mix(stems, {name: Balance(-20, 0.3) for name in stems}, peak=0.9)
    total = np.sum([samples.astype(np.int64) for samples in mixed.stems.values()], axis=0)
    np.testing.assert_array_equal(total, mixed.mixture)
    assert np.abs(total).max() == pytest.approx(0.9 * 32_767, abs=5)
    assert not mixed.stems["silent"].any()


def test_levels_are_those_requested_with_any_rests():
    tone = np.sin(np.arange(88_200) * 0.05)[:, None].repeat(2, axis=1).astype(np.float32)
    resting = tone.copy()
    resting[44_100:] = 0
    assert playing_level(resting) == pytest.approx(playing_level(tone), rel=0.02)
    mixed = mix({"a": tone, "b": 0.01 * resting}, {"a": Balance(-20, 0), "b": Balance(-26, 0)}, 0.5)
    levels = [playing_level(samples.astype(np.float32)) for samples in mixed.stems.values()]
    assert 20 * np.log10(levels[0] / levels[1]) == pytest.approx(6, abs=0.2)


def test_panning_keeps_the_power():
    samples = np.ones((10, 2), np.float32)
    for pan in (-1.0, -0.3, 0.0, 0.5):
        moved = panned(samples, pan)
        assert np.square(moved).sum() == pytest.approx(20, rel=1e-5)
        assert np.sign(moved[0, 1] - moved[0, 0]) == np.sign(pan)


@FLUID
def test_a_note_sounds_when_it_is_written_and_again_the_same():
    voice = Voice(soundfont(), INSTRUMENTS["piano"][0], reverb=0)
    sound = render([Note(0.5, 0.3, 60, 90)], voice, DRY, 1.0)
    assert sound.shape == (round(2.5 * RATE), 2)
    sounding = np.flatnonzero(np.abs(sound).max(axis=1) > 1e-3)
    assert 0.5 - 0.001 <= sounding[0] / RATE <= 0.51
    np.testing.assert_array_equal(sound, render([Note(0.5, 0.3, 60, 90)], voice, DRY, 1.0))
    wet = render(
        [Note(0.5, 0.3, 60, 90)], Voice(soundfont(), voice.instrument, 127), Room(0.8, 0, 100, 1), 1.0
    )
    late = slice(round(1.9 * RATE), None)
    assert np.abs(wet[late]).mean() > 2 * np.abs(sound[late]).mean()


@FLUID
def test_what_fluidsynth_cannot_play_is_named(tmp_path: Path):
    (tmp_path / "none.sf2").write_bytes(b"nothing")
    with pytest.raises(DeviceError, match=r"none\.sf2"):
        open_soundfont(tmp_path / "none.sf2")
    voice = Voice(soundfont(), Instrument("theremin", 5, bank=77), 0)
    with pytest.raises(DeviceError, match="theremin"):
        render([], voice, DRY, 0.1)


@FLUID
def test_the_soundfont_that_comes_along_has_every_stem():
    opened = open_soundfont(soundfont())
    assert (opened.family, opened.licence) == ("gmbank", "GPL-2")
    assert all(len(opened.instruments(stem)) >= 3 for stem in QUARTET.names)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a corpus and a folder with a validation side of a few seconds."""
    corpus = write_weimar(tmp_path_factory.mktemp("weimar"), TUNES)
    out = tmp_path_factory.mktemp("quartets")
    generate_quartets(corpus, out, QuartetSettings("val", 8 / 3600, seed=3, soundfonts=(soundfont(),)))
    return corpus, out


@FLUID
def test_generated_stems_sum_to_the_mixture_and_are_read_as_recordings(generated: tuple[Path, Path]):
    _, out = generated
    index = read_index(out / "val" / INDEX_FILE)
    assert index is not None
    assert index.note.startswith("synthetic")
    assert [(f.name, f.family, f.licence) for f in index.soundfonts] == [("TimGM6mb.sf2", "gmbank", "GPL-2")]
    recordings = read_stem_folder(out / "val", QUARTET)
    assert [r.name for r in recordings] == sorted(item.name for item in index.items)
    assert sum(item.seconds for item in index.items) >= 8
    for recording in recordings:
        mixture, rate = soundfile.read(out / "val" / recording.name / "mixture.flac", dtype="float32")
        parts = recording.read(0, recording.length)
        assert rate == recording.rate == RATE
        np.testing.assert_array_equal(mixture_of(parts), mixture.T)
        assert not parts[-1].any()
        assert all(part.any() for part in parts[:-1])
        assert 0.3 < np.abs(mixture).max() < 0.9


@FLUID
def test_generation_goes_on_where_it_stopped_and_gives_the_same_bytes(
    generated: tuple[Path, Path], tmp_path: Path
):
    corpus, out = generated
    shutil.copytree(out / "val", tmp_path / "val")
    settings = QuartetSettings("val", 8 / 3600, seed=3, soundfonts=(soundfont(),))
    first, second = sorted(path for path in (tmp_path / "val").iterdir() if path.is_dir())[:2]
    before = {path.name: path.read_bytes() for path in first.iterdir()}
    shutil.rmtree(first)
    kept = (second / "mixture.flac").stat().st_mtime_ns
    generate_quartets(corpus, tmp_path, settings)
    assert {path.name: path.read_bytes() for path in first.iterdir()} == before
    assert (second / "mixture.flac").stat().st_mtime_ns == kept
    with pytest.raises(CorpusError, match="other settings"):
        generate_quartets(
            corpus, tmp_path, QuartetSettings("val", 8 / 3600, seed=4, soundfonts=(soundfont(),))
        )


@pytest.mark.slow
@FLUID
def test_the_sides_share_neither_tunes_nor_soundfonts(generated: tuple[Path, Path], tmp_path: Path):
    corpus, out = generated
    index = read_index(out / "val" / INDEX_FILE)
    assert index is not None
    assert index.items
    assert all(seeded_split(item.tune, 0) == "val" for item in index.items)
    with pytest.raises(SettingError, match=r"TimGM6mb.*val side"):
        generate_quartets(corpus, out, QuartetSettings("train", 0.001, soundfonts=(soundfont(),)))
    settings = QuartetSettings("train", 6 / 3600, soundfonts=(soundfont(),), jobs=2)
    train = generate_quartets(corpus, tmp_path, settings)
    assert not {item.tune for item in train.items} & {item.tune for item in index.items}
    made = read_stem_folder(tmp_path / "train", QUARTET)
    assert [recording.name for recording in made] == [item.name for item in train.items]


def test_settings_out_of_range_are_refused():
    with pytest.raises(SettingError, match="hours"):
        QuartetSettings("train", 0)
    with pytest.raises(SettingError, match="jobs"):
        QuartetSettings("train", 1, jobs=0)


def test_a_damaged_index_is_named(tmp_path: Path):
    (tmp_path / INDEX_FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"index\.json"):
        read_index(tmp_path / INDEX_FILE)
    assert read_index(tmp_path / "none.json") is None

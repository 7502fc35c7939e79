"""Samples: requests, which candidate is chosen, and the command with a small model and no sound."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from players import pack_players

from tatumflow.engine.errors import MidiFileError, SettingError
from tatumflow.engine.midi.midi_file import MidiTrack, read_midi, write_midi
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST, Note
from tatumflow.live import cli
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.evaluate.parts.answer_relevance import Call
from tatumflow.training.evaluate.primers import Notes
from tatumflow.training.samples.calls import find_calls
from tatumflow.training.samples.choice import OFF_CHORDS, Candidate, Judgment, best_of, judge
from tatumflow.training.samples.commands import SampleSettings, make_samples
from tatumflow.training.samples.phrases import PHRASES, written_calls
from tatumflow.training.samples.play import references_of
from tatumflow.training.samples.real import real_stretch
from tatumflow.training.samples.requests import FURTHER, LEADS, SAMPLED, Request, sample_requests
from tatumflow.training.samples.texture import LONGEST_GAP, MOST_REPEATED, Texture, texture_of

FINE = Texture(20, 5.0, 0.5, 1)


def line(pitches: Sequence[int], step: float = 0.25) -> Notes:
    count = len(pitches)
    return note_array(step * np.arange(count), [0.9 * step] * count, pitches, [64] * count)


def candidate(notes: Notes, seconds: float | None = None) -> Candidate:
    end = float((notes["onset"] + notes["duration"]).max()) if len(notes) else 0.0
    return Candidate(0, notes, end if seconds is None else seconds)


def test_twenty_samples_hold_every_mode_in_every_kind_of_style() -> None:
    requests = sample_requests(("", *sorted((*LEADS, *FURTHER))), 20)
    kinds = {
        (request.mode, request.styles if set(request.styles) & set(LEADS) else "other")
        for request in requests
    }
    assert len(kinds) == 20
    assert len({request.style for request in requests} - set(LEADS)) == 5
    assert {request.mode for request in requests[:5]} == set(SAMPLED)
    for request in requests:
        assert bool(request.chords) == (request.mode in ("improvise", "reharmonize"))
        assert request.controls.style == request.style
        assert request.controls.style_blend == (0.5 if request.style_b else 0)


@pytest.mark.parametrize(
    ("known", "styles"),
    [
        (("",), {()}),
        (("", "me"), {("me",)}),
        (("", "art-tatum"), {("art-tatum",)}),
        (("", "art-tatum", "bud-powell"), {("art-tatum",), ("bud-powell",)}),
    ],
)
def test_only_known_styles_are_requested(known: tuple[str, ...], styles: set[tuple[str, ...]]) -> None:
    assert {request.styles for request in sample_requests(known, 12)} == styles


def test_faults_are_named() -> None:
    rng = np.random.default_rng(0)
    request = Request("answer", "")
    fine = rng.permutation(np.arange(50, 90))
    assert judge(request, candidate(line(fine.tolist())), ()).faults == ()
    assert judge(request, candidate(line([60, 62, 64])), ()).faults == ("only 3 notes",)
    assert judge(request, candidate(line([])), ()).faults == ("only 0 notes",)
    broken = line(fine.tolist())
    broken["onset"][20:] += LONGEST_GAP + 0.5
    assert judge(request, candidate(broken), ()).faults == ("2.5 s of silence",)
    assert judge(request, candidate(line(fine.tolist()), 30.0), ()).faults[0].endswith("s of silence")
    crowded = line(rng.integers(30, 100, 100).tolist(), 0.04)
    assert judge(request, candidate(crowded), ()).faults == ("25 notes a second",)
    figure = [60, 64, 67, 71, 62, 65, 69, 72]
    loop = line(figure * (MOST_REPEATED + 1), 0.125)
    assert judge(request, candidate(loop), ()).faults == (f"a figure {MOST_REPEATED + 1} times",)
    assert judge(request, candidate(line(figure * MOST_REPEATED, 0.125)), ()).faults == ()
    late = np.concatenate([line(rng.integers(40, 100, 100).tolist()), loop])
    late["onset"][100:] += 25.0
    assert judge(request, candidate(late), ()).faults == (f"a figure {MOST_REPEATED + 1} times",)


def test_the_nearest_candidate_without_a_fault_is_chosen() -> None:
    request = Request("answer", "")
    call = line([60, 62, 64, 65, 67, 69, 71, 72, 71, 69])
    far = line([61, 63, 66, 68, 70, 73, 75, 78, 80, 82], 0.7)
    short = line([60, 62, 64])
    judgments = [judge(request, candidate(notes), (call,)) for notes in (far, short, call, call)]
    assert set(judgments[0].figures) == {"harmony", "rhythm"}
    assert judgments[2].figures == {"harmony": 0.0, "rhythm": 0.0}
    choice = best_of(judgments)
    assert (choice.index, choice.judgment, choice.faultless) == (2, judgments[2], 3)
    assert best_of(judgments[:2]).index == 0
    assert best_of([Judgment({"a": float("nan")}, FINE), Judgment({"a": 5.0}, FINE)]).index == 1
    assert np.isnan(best_of([Judgment({}, FINE)] * 3).rank)


def test_a_choice_says_how_it_was_made() -> None:
    mixed = [
        Judgment({"a": 0.0, "b": 3.0, "c": 3.0}, FINE),
        Judgment({"a": 9.0, "b": 1.0, "c": float("nan")}, FINE),
        Judgment({"a": 1.0, "b": 2.0, "c": 1.0}, FINE),
    ]
    choice = best_of(mixed)
    assert choice.index == 2
    assert choice.rank == pytest.approx((2 + 2 + 1) / 3)
    assert choice.ranges == {"a": (0.0, 9.0), "b": (1.0, 3.0), "c": (1.0, 3.0)}


def test_notes_off_the_chart_count_against_a_candidate() -> None:
    request = Request("improvise", "", chords="Cmaj7 | Gbmaj7", tempo=240.0)
    played = line([60, 64, 67, 71, 66, 70, 73, 77])
    assert judge(request, candidate(played), ()).figures == {OFF_CHORDS: 0.0}
    later = replace(candidate(played), chart_begins=1.0)
    assert judge(request, later, ()).figures == {OFF_CHORDS: 1.0}


def test_the_written_phrases_can_be_replied_to() -> None:
    calls = written_calls()
    assert len({call.piece for call in calls}) == len(PHRASES) >= 5
    for call in calls:
        assert len(call.notes) >= 8
        assert 1.0 <= float((call.notes["onset"] + call.notes["duration"]).max()) <= 8.0
        assert call.notes["pitch"].min() >= PITCH_LOWEST
        assert call.notes["pitch"].max() <= PITCH_HIGHEST
        assert not len(call.following)
    assert [call.piece for call in find_calls(2)] == [call.piece for call in calls[:2]]


def phrases_file(path: Path, count: int, pitch: int) -> Path:
    """Write phrases of ten notes, two seconds apart."""
    notes = [
        Note(0.2 * k + 4.0 * phrase, 0.15, pitch + phrase, 64) for phrase in range(count) for k in range(10)
    ]
    write_midi(path, [MidiTrack("piano", notes)])
    return path


def test_files_give_their_phrases_in_turn(tmp_path: Path) -> None:
    one, other = phrases_file(tmp_path / "one.mid", 3, 50), phrases_file(tmp_path / "other.mid", 1, 70)
    calls = find_calls(10, files=[one, other])
    assert [call.piece for call in calls] == ["one.mid", "other.mid", "one.mid", "one.mid"]
    assert [int(call.notes["pitch"][0]) for call in calls] == [50, 70, 51, 52]
    assert calls[0].following["pitch"][0] == 51
    assert calls[2].context["pitch"].tolist() == [50] * 10
    assert not len(calls[3].following)
    write_midi(tmp_path / "short.mid", [MidiTrack("piano", [Note(0.0, 0.5, 60, 64)])])
    with pytest.raises(MidiFileError, match=r"short.mid: holds no phrase of 8 notes"):
        find_calls(10, files=[tmp_path / "short.mid"])


def test_candidates_are_held_against_what_the_mode_is_about(tmp_path: Path) -> None:
    corpus = pack_players(tmp_path / "packed")
    notes, following = line([60] * 8), line([62] * 8)
    call = Call("a", "c", "", notes[:0], notes, following)
    assert references_of(Request("answer", ""), call, None)[0] is following
    assert references_of(Request("answer", ""), replace(call, following=notes[:0]), None)[0] is notes
    assert references_of(Request("restyle", ""), call, corpus)[0] is notes
    assert references_of(Request("improvise", "art-tatum"), None, None) == ()
    horn = references_of(Request("improvise", "charlie-parker"), None, corpus)
    assert 1 <= len(horn) <= 8
    assert all((stretch["velocity"] == 0).all() for stretch in horn)
    assert references_of(Request("improvise", "absent"), None, corpus) == ()


def test_the_command_writes_a_page_without_a_corpus(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "samples"
    arguments = [tiny_bundle, "-o", out, "--count", 5, "--candidates", 2, "--seed", 3]
    monkeypatch.setattr(sys, "argv", ["tatumflow", "samples", *map(str, arguments)])
    monkeypatch.setattr(cli, "_write_sound", lambda path, tracks: path.write_bytes(b"sound"))
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    assert (
        f"5 samples, {len_faultless(out)} without a fault, in {out / 'index.html'}" in capsys.readouterr().out
    )
    page = (out / "index.html").read_text()
    figures = json.loads((out / "samples.json").read_text(), parse_constant=pytest.fail)
    command = "tatumflow samples tiny -o DIR --count 5 --candidates 2 --seed 3"
    assert figures["command"] == command
    assert command in page
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    rows = figures["samples"]
    assert [row["mode"] for row in rows] == list(SAMPLED)
    for row in rows:
        file = out / row["file"]
        assert f'href="{row["file"]}"' in page
        assert f'src="{file.with_suffix(".mp3").name}"' in page
        assert file.with_suffix(".mp3").read_bytes() == b"sound"
        assert row["real"] is None
        played = read_midi(file).notes
        assert len(played) >= row["notes"]
        assert 1 <= row["chosen"] <= 2
        assert (row["call"] is None) == (row["mode"] == "improvise")
        assert set(row["distances"]) >= ({OFF_CHORDS} if row["chords"] else set())
        if row["call"] is not None:
            call = next(call for call in written_calls() if call.piece == row["call"]["piece"])
            assert played[0].pitch == call.notes["pitch"][0]
            assert row["call"]["piece"] in page


def test_with_a_corpus_real_stretches_and_a_blind_test_are_beside_the_samples(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    corpus, out = pack_players(tmp_path / "packed"), tmp_path / "page"
    made = make_samples(str(tiny_bundle), out, SampleSettings(5, 2), corpus=corpus.path)
    page = (out / "index.html").read_text()
    rows = json.loads((out / "samples.json").read_text())["samples"]
    for number, (sample, row) in enumerate(zip(made, rows, strict=True), start=1):
        assert row["real"]["file"] == f"{number:02d}-real.mid"
        real = read_midi(out / row["real"]["file"]).notes
        assert row["real"]["notes"] >= 8
        if sample.request.mode in ("answer", "continue"):
            assert sample.call is not None
            following = sample.call.following["pitch"].tolist()
            assert [note.pitch for note in real][-len(following) :] == following
        else:
            assert row["real"]["notes"] == len(real)
        low, high = row["candidates"]["rhythm"]
        assert low <= row["distances"]["rhythm"] <= high
        assert f"{row['mean_rank']:.2f}" in page
    assert "belong to the players" in page
    assert 'href="blind/blind.html"' in page
    assert 'href="../index.html"' in (out / "blind" / "blind.html").read_text()


def test_a_real_stretch_is_held_out_where_there_is_one(tmp_path: Path) -> None:
    corpus = pack_players(tmp_path / "packed")
    for seed in range(5):
        real = real_stretch(Request("restyle", "bud-powell"), None, corpus, seed)
        assert real is not None
        assert real.title.startswith("Bud Powell, Tune")
        assert "(held-out side)" in real.title
    assert real_stretch(Request("restyle", "absent"), None, corpus) is None
    assert real_stretch(Request("improvise", "art-tatum"), None, None) is None


def test_an_empty_stretch_has_counts() -> None:
    assert texture_of(line([])[:0], 0.0) == Texture(0, 0.0, 0.0, 0)


def len_faultless(out: Path) -> int:
    rows = json.loads((out / "samples.json").read_text())["samples"]
    return sum(not row["faults"] for row in rows)


def test_the_same_seed_gives_the_same_samples(tiny_bundle: Path, tmp_path: Path) -> None:
    corpus = pack_players(tmp_path / "packed").path
    played = [
        make_samples(str(tiny_bundle), tmp_path / name, SampleSettings(5, 1, seed), corpus=corpus)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert [sample.played for sample in played[0]] == [sample.played for sample in played[1]]
    assert [sample.played for sample in played[0]] != [sample.played for sample in played[2]]
    assert (tmp_path / "a" / "samples.json").read_bytes() == (tmp_path / "b" / "samples.json").read_bytes()
    assert "MIDI only" in (tmp_path / "a" / "index.html").read_text()
    assert {"harmony", "rhythm"} <= set(played[0][0].judgment.figures)
    for sample in played[0]:
        if sample.call is not None and sample.played:
            assert sample.played[0].onset > sample.given[-1].onset


def test_bad_input_is_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(SettingError, match="is a file; give the name of a folder"):
        make_samples(str(tiny_bundle), file)
    with pytest.raises(MidiFileError, match="is empty"):
        make_samples(str(tiny_bundle), tmp_path / "out", primers=[file])
    assert not (tmp_path / "out").exists()

"""Measurements on real ports, for a moment each: they come to an end and count what arrives."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from duo import PATIENCE

from tatumflow.engine.midi.midi_file import MidiTrack
from tatumflow.engine.midi.notes import Note
from tatumflow.live.midi.synth import render
from tatumflow.live.midi.synth_sounds import SAMPLE_RATE
from tatumflow.live.settings import SynthSettings

pytestmark = [pytest.mark.ports, pytest.mark.needs("jackd"), pytest.mark.slow]

RECEIVE = """
import json, sys
from pathlib import Path
from tatumflow.engine.model.bundle import load_bundle
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.live.bench.receive import receive
bundle = load_bundle(Path(sys.argv[1]))
figures = receive(bundle, OnnxDecoder(bundle), 0.02)
print(json.dumps({figure.name: [figure.count, figure.p50] for figure in figures}))
"""


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=8 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_notes_are_timed_where_another_program_receives_them(tiny_bundle):
    figures = json.loads(run(sys.executable, "-c", RECEIVE, str(tiny_bundle)).splitlines()[-1])
    assert figures["receive_delay"][0] == figures["receive_jitter"][0] == 120
    assert figures["receive_delay"][1] > 0
    assert figures["receive_jitter"][1] == 0
    assert figures["drawn"][1] > 0


def test_a_soak_on_ports_hears_both_players_and_loses_nothing(tiny_bundle, tmp_path):
    file = tmp_path / "soak.json"
    command = [sys.executable, "-m", "tatumflow.live.cli", "soak", "ports", "--minutes", "0.1"]
    run(*command, "--model", str(tiny_bundle), "--json", str(file))
    figures = json.loads(file.read_text())
    assert figures["command"] == "tatumflow soak ports --model tiny --minutes 0.1"
    assert figures["played_notes"]["max"] > 0
    assert figures["hung_notes"]["max"] == figures["dropped_offs"]["max"] == 0


@pytest.mark.needs("JACK-Client", "fluidsynth", "soundfont")
def test_a_soak_with_ears_hears_a_recording_and_answers_it(tiny_bundle, tmp_path):
    line, rest = [62, 66, 69, 71, 69, 66], 2.0
    notes = [Note(0.25 * place, 0.22, pitch, 100) for place, pitch in enumerate(line)]
    horn = render([MidiTrack("horn", notes)], SynthSettings(program=65))
    sound = np.pad(horn, ((0, round(rest * SAMPLE_RATE)), (0, 0)))
    soundfile.write(tmp_path / "horn.wav", sound, SAMPLE_RATE)
    file = tmp_path / "soak.json"
    command = [sys.executable, "-m", "tatumflow.live.cli", "soak", "ears", "--minutes", "0.2"]
    command += ["--sound", str(tmp_path / "horn.wav"), "--separator", "none", "--stem", "input"]
    run(*command, "--model", str(tiny_bundle), "--json", str(file))
    figures = json.loads(file.read_text())
    assert figures["heard_notes"]["max"] >= len(line)
    assert figures["played_notes"]["max"] > 0
    assert figures["hung_notes"]["max"] == figures["model_faults_blocks"]["max"] == 0
    assert figures["algorithmic_latency_ms"]["max"] > 0

"""Things that break under a session of real processes: what is said, and that the playing goes on."""

import json
import os
import shutil
import signal
import subprocess
import sys

import psutil
import pytest
from duo import NUMBERS, PATIENCE, play_until_answered, wait_until

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.messages import UseModel
from tatumflow.engine.midi.events import NoteOn
from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.live.midi.midi_ports import api_problem
from tatumflow.live.midi.outputs import Outputs
from tatumflow.live.midi.port_set import PortSet
from tatumflow.live.processes.host import EngineHost
from tatumflow.live.processes.options import EngineOptions
from tatumflow.live.settings import PortSettings, Settings, SynthSettings

pytestmark = pytest.mark.slow

RTMIDI_BUFFER_MESSAGES = 2000
"""Messages that surely fit into RtMidi's buffer, though nobody takes any from it for a while."""


def silent(listener):
    return lambda: not listener.sounding


def output_process():
    """Return the process that holds the MIDI outputs of the host in this process."""
    module = "tatumflow.live.midi.output_service"
    (found,) = (child for child in psutil.Process().children() if module in child.cmdline())
    return found


@pytest.fixture
def start_alone(tmp_path, tiny_bundle):
    """Return what starts a headless companion where no JACK server is, with lines of settings."""
    started = []

    def start(settings, model=tiny_bundle):
        file = tmp_path / "settings.yaml"
        file.write_text(settings)
        command = [sys.executable, "-m", "tatumflow.live.cli", "jam", "--headless", "--model", str(model)]
        command += ["--settings", str(file), "--record", str(tmp_path / "alone.mid")]
        nowhere = {"JACK_DEFAULT_SERVER": "tatumflow-nowhere", "JACK_NO_START_SERVER": "1"}
        environment = os.environ | nowhere | {"XDG_STATE_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("synth", "said"),
    [("soundfont: /nowhere.sf2", "SoundFont"), ("driver: nowhere", "no audio device answers")],
)
def test_without_ports_and_sound_it_says_what_is_missing_and_waits_to_be_played(start_alone, synth, said):
    if not api_problem("alsa"):
        pytest.skip("ALSA's sequencer answers here")
    process = start_alone(f"synth: {{{synth}}}\n")
    assert "in: no input yet; out: no output yet" in process.stdout.readline()
    lines = [process.stdout.readline() for _ in range(2)]
    assert lines[0].startswith("warning: no MIDI ports: ")
    assert lines[1].startswith("warning: ")
    assert said in lines[1] or "FluidSynth" in lines[1]
    process.send_signal(signal.SIGINT)
    assert process.wait(2 * PATIENCE) == 0


def test_a_damaged_model_ends_it_in_one_line(start_alone, tiny_bundle, tmp_path):
    damaged = shutil.copytree(tiny_bundle, tmp_path / "damaged")
    (damaged / "decoder.onnx").write_bytes(b"cut")
    process = start_alone("synth: {enabled: false}\n", damaged)
    out, error = process.communicate(timeout=4 * PATIENCE)
    assert process.returncode == 1
    assert out == ""
    assert error.startswith("tatumflow: ")
    assert "decoder.onnx: differs from its manifest" in error
    assert error.count("\n") == 1


@pytest.mark.ports
def test_a_killed_engine_is_named_and_its_recording_kept(start_companion, player_for):
    companion = start_companion()
    player = player_for(companion.input_port)
    player.play("on 60", "wait 0.2", "off 60")
    assert wait_until(companion.recording.exists)
    os.kill(companion.engine().pid, signal.SIGKILL)
    assert "ended by signal 9" in companion.says("error: ")
    kept = companion.recording.read_bytes()
    assert read_midi(companion.recording).notes[0].pitch == 60
    assert companion.interrupt() == 1
    assert companion.recording.read_bytes() == kept


@pytest.fixture
def host_on(jack_server, tiny_bundle, tmp_path, monkeypatch):
    """Return what starts a host on ports of a name of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    hosts = []

    def start(name):
        ports = PortSettings(api="jack", input="", virtual_name=name)
        settings = Settings(ports=ports, synth=SynthSettings(enabled=False), model=str(tiny_bundle))
        host = EngineHost(EngineOptions(settings, recording=tmp_path / f"{name}.mid"))
        hosts.append(host)
        host.start()
        return host

    yield start
    for host in hosts:
        host.close()


@pytest.mark.ports
def test_a_killed_engine_leaves_nothing_sounding_at_a_virtual_port_and_is_started_again(
    host_on, player_for, listener_for
):
    name = f"Duo{next(NUMBERS)}"
    host = host_on(name)
    listener = listener_for(connect=f"{name} out")
    player = player_for(f"{name} in")
    player.play("control 64 127", "on 60", "on 64", "on 67")
    assert wait_until(lambda: listener.sounding == {(0, 60), (0, 64), (0, 67)})
    dead = host.pid
    os.kill(dead, signal.SIGKILL)
    # A second on an idle machine; the engine takes longer than that to start.
    assert wait_until(silent(listener))
    assert host.pid == dead or host.restarting
    assert wait_until(lambda: (0xB0, 64, 0) in listener.messages)
    assert wait_until(lambda: host.restarting)
    assert host.latest().turn == "listening"
    assert "signal 9" in host.failure
    assert wait_until(lambda: host.pid != dead and not host.restarting, 2 * PATIENCE)

    def heard():
        # The listener has not connected again: the port is still the one of the dead engine.
        again = player_for(f"{name} in")
        again.play("on 62", "wait 0.3", "off 62")
        return (0x90, 62, 90) in listener.messages

    assert wait_until(heard)
    outputs = output_process()
    host.close()
    assert wait_until(silent(listener))
    assert not outputs.is_running()


@pytest.mark.ports
def test_an_engine_plays_on_when_the_process_that_holds_its_outputs_is_killed(
    host_on, player_for, listener_for
):
    name = f"Duo{next(NUMBERS)}"
    host = host_on(name)
    player = player_for(f"{name} in")
    output_process().kill()
    said = []

    def told():
        said.extend(notice.text for notice in host.latest().notices)
        return any("holds the MIDI outputs has ended" in text for text in said)

    assert wait_until(told), said

    def heard():
        # The server may show the dead port a while longer; who connects to that hears nothing.
        listener = listener_for(connect=f"{name} out")
        player.play("wait 0.3", "on 62", "wait 0.3", "off 62")
        return (0x90, 62, 90) in listener.messages

    assert wait_until(heard)
    assert not host.failure


@pytest.mark.ports
def test_a_closed_terminal_ends_a_session_without_a_screen_in_order(
    start_companion, player_for, listener_for
):
    companion = start_companion()
    listener = listener_for(connect=companion.output_port)
    player = player_for(companion.input_port)
    player.play("on 60")
    assert wait_until(lambda: (0, 60) in listener.sounding)
    companion.process.send_signal(signal.SIGHUP)
    assert companion.says("recorded in")
    assert companion.process.wait(2 * PATIENCE) == 0
    assert wait_until(silent(listener))
    assert [note.pitch for note in read_midi(companion.recording).notes] == [60]


@pytest.mark.ports
def test_a_recording_whose_folder_takes_no_file_is_kept_elsewhere(start_companion, player_for, tmp_path):
    spare = tmp_path / "spare"
    spare.mkdir()
    wanted = tmp_path / "folder" / "jam.mid"
    companion = start_companion("--record", str(wanted), environment={"TMPDIR": str(spare)})
    # A path that cannot be written to is refused at the start; this one turns bad afterwards.
    wanted.parent.write_text("no folder")
    player = player_for(companion.input_port)
    player.play("on 60", "wait 0.1", "off 60")
    assert str(spare) in companion.says("warning: recording not saved")
    companion.process.send_signal(signal.SIGINT)
    kept = companion.says("recorded in ").removeprefix("recorded in ").strip()
    assert companion.process.wait(2 * PATIENCE) == 0
    assert kept.startswith(str(spare))
    assert read_midi(kept).notes[0].pitch == 60


@pytest.mark.ports
@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="files cannot be limited here")
def test_a_recording_that_could_not_be_kept_at_all_fails_the_session(start_companion, player_for):
    companion = start_companion()
    player = player_for(companion.input_port)
    engine = companion.engine()
    _, hard = engine.rlimit(psutil.RLIMIT_FSIZE)
    engine.rlimit(psutil.RLIMIT_FSIZE, (0, hard))
    player.play("on 60", "wait 0.1", "off 60")
    assert companion.interrupt() == 1
    assert not companion.recording.exists()


@pytest.mark.ports
@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="files cannot be limited here")
def test_a_full_disk_is_said_and_the_playing_goes_on(start_companion, player_for, listener_for):
    companion = start_companion("--seed", "1")
    listener = listener_for(connect=companion.output_port)
    player = player_for(companion.input_port)
    engine = companion.engine()
    _, hard = engine.rlimit(psutil.RLIMIT_FSIZE)
    engine.rlimit(psutil.RLIMIT_FSIZE, (0, hard))
    player.play("on 60", "wait 0.1", "off 60")
    assert companion.says("warning: recording not saved")
    assert not companion.recording.exists()
    play_until_answered(player, listener)
    engine.rlimit(psutil.RLIMIT_FSIZE, (hard, hard))
    assert companion.interrupt() == 0
    assert wait_until(silent(listener))
    assert read_midi(companion.recording).notes[0].pitch == 60


@pytest.mark.ports
def test_a_thousand_notes_a_second_go_through_and_are_answered(start_companion, player_for, listener_for):
    companion = start_companion()
    listener = listener_for(connect=companion.output_port)
    player = player_for(companion.input_port)
    notes = RTMIDI_BUFFER_MESSAGES // 2
    player.play(f"burst {notes}")
    assert wait_until(lambda: sum(message[0] == 0x80 for message in list(listener.messages)) >= notes)
    assert sum(message[0] == 0x90 for message in list(listener.messages)) == notes
    play_until_answered(player, listener)
    assert companion.interrupt() == 0
    assert wait_until(silent(listener))


@pytest.mark.ports
def test_an_output_that_vanishes_is_played_on_again_when_it_is_back(
    start_companion, player_for, listener_for
):
    hall = listener_for(offer="hall")
    companion = start_companion("--out", "hall")
    player = player_for(companion.input_port)
    player.play("on 60")
    assert wait_until(lambda: (0, 60) in hall.sounding)
    hall.close()
    assert companion.says("was unplugged")
    player.play("off 60")
    again = listener_for(offer="hall")
    assert companion.says("playing on")
    player.play("on 62")
    assert wait_until(lambda: (0, 62) in again.sounding)
    assert companion.interrupt() == 0
    assert wait_until(silent(again))


@pytest.mark.ports
def test_ports_that_come_after_our_own_are_the_ones_connected(jack_server, player_for, listener_for):
    events, said = [], []
    settings = PortSettings(api="jack", virtual_name=f"Duo{next(NUMBERS)}", input="keys", output="hall")
    clock = SystemClock()
    outputs = Outputs(clock, thru=True)
    ports = PortSet(settings, clock, outputs, events.append, lambda text, _: said.append(text))
    ports.open()
    try:
        hall, keys = listener_for(offer="hall"), player_for("offer", "keys")
        names = {"playing on hall:hall", "listening to player:keys"}
        assert wait_until(lambda: names <= set(said)), said
        keys.play("wait 0.5", "on 60")
        assert wait_until(lambda: hall.sounding == {(0, 60)})
        keys.play("off 60")
        assert wait_until(silent(hall))
        assert sum(isinstance(event, NoteOn) for event in events) == 1
    finally:
        ports.close()


@pytest.mark.ports
def test_another_model_takes_over_while_the_one_before_sounds(
    jack_server, tiny_bundle, tmp_path, player_for, listener_for, monkeypatch
):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    other = shutil.copytree(tiny_bundle, tmp_path / "other")
    manifest = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps(manifest | {"name": "other"}))
    name = f"Duo{next(NUMBERS)}"
    ports = PortSettings(api="jack", input="", virtual_name=name)
    settings = Settings(ports=ports, synth=SynthSettings(enabled=False), model=str(tiny_bundle))
    host = EngineHost(EngineOptions(settings, recording=tmp_path / "swap.mid"))
    host.start()
    said = []

    def shown(condition):
        def look():
            snapshot = host.latest()
            assert snapshot is not None
            said.extend(notice.text for notice in snapshot.notices)
            return condition(snapshot)

        return wait_until(look)

    try:
        listener = listener_for(connect=f"{name} out")
        player = player_for(f"{name} in")
        play_until_answered(player, listener)
        host.send(UseModel(str(tmp_path / "nowhere")))
        assert shown(lambda _: any("the model stays" in text and "nowhere" in text for text in said))
        play_until_answered(player, listener)
        player.play("on 40")
        host.send(UseModel(str(other)))
        assert shown(lambda snapshot: snapshot.model == "other")
        assert host.settings.model == str(other)
        assert wait_until(lambda: listener.sounding == {(0, 40)})
        player.play("off 40")
        play_until_answered(player, listener)
        assert listener.double_ons == 0
    finally:
        host.close()
    assert wait_until(silent(listener))
    assert host.failure == ""

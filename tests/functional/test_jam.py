"""The companion on real ports: it answers, and whatever dies, nothing goes on sounding."""

import os
import signal
import socket
import time

import psutil
import pytest
import rtmidi
from duo import PATIENCE, play_until_answered, wait_until
from pythonosc.udp_client import SimpleUDPClient

from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.live.midi.port_closing import end_callbacks, set_callback

pytestmark = [pytest.mark.ports, pytest.mark.slow]


def silent(listener):
    return lambda: not listener.sounding


def test_it_answers_yields_and_saves_at_an_interrupt(start_companion, player_for, listener_for):
    companion = start_companion("--seed", "1")
    listener = listener_for(connect=companion.output_port)
    player = player_for(companion.input_port)

    play_until_answered(player, listener)
    assert (0x90, 60, 90) in listener.messages, "thru"

    # Barge in: the companion closes its notes and leaves the turn.
    player.play("on 48")
    assert wait_until(lambda: listener.sounding == {(0, 48)})
    player.play("off 48")

    play_until_answered(player, listener)
    player.play("on 50")
    assert companion.interrupt() == 0
    assert wait_until(silent(listener))
    assert listener.double_ons == 0
    ons = sum(m[0] & 0xF0 == 0x90 and m[2] > 0 for m in listener.messages)
    offs = sum(m[0] & 0xF0 == 0x80 or (m[0] & 0xF0 == 0x90 and m[2] == 0) for m in listener.messages)
    assert offs >= ons
    notes = read_midi(companion.recording).notes
    assert [n.pitch for n in notes if n.velocity == 90].count(60) >= 2


def test_it_ends_in_order_while_it_is_being_played(start_companion, player_for, listener_for):
    companion = start_companion()
    listener = listener_for(connect=companion.output_port)
    player = player_for(companion.input_port)
    player.play("on 60", "flood")
    assert wait_until(lambda: listener.messages.count((0xE0, 0, 64)) > 100)
    assert companion.interrupt() == 0
    assert wait_until(silent(listener))
    assert [note.pitch for note in read_midi(companion.recording).notes] == [60]


def test_it_trades_bars_by_the_clock_that_is_sent_and_sends_it_on(start_companion, player_for, listener_for):
    companion = start_companion("--clock", "midi", "--trade", "1", "--clock-out")
    listener = listener_for(connect=companion.output_port)
    player = player_for(companion.input_port)
    time.sleep(1.0)
    assert listener.messages == []
    player.play("clock 240")
    assert wait_until(lambda: listener.companion_ons() > 0)
    assert wait_until(lambda: listener.messages.count((0xF8,)) > 24)
    assert {(0xFA,), (0xFB,)} & set(listener.messages)
    player.play("stop")
    assert wait_until(lambda: (0xFC,) in listener.messages)
    assert wait_until(silent(listener))


def test_a_callback_outlives_its_cancelling(jack_server):
    def callback(packet, _=None):
        pass

    port = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, "kept")
    (wrapping,) = set_callback(port, callback)
    end_callbacks([port])
    assert wrapping == (callback, None)
    port.delete()


def test_panic_silences_both_players(start_companion, player_for, listener_for):
    companion = start_companion("--seed", "2")
    listener = listener_for(connect=companion.output_port)
    player = player_for(companion.input_port)
    play_until_answered(player, listener)
    player.play("control 123 0")
    assert wait_until(silent(listener))
    before = listener.companion_ons()
    time.sleep(1.0)
    assert listener.companion_ons() == before
    player.play("on 60", "control 120 0")
    assert wait_until(silent(listener))


def test_a_pedal_and_osc_steer_it_and_neither_sounds(start_companion, player_for, listener_for):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    osc = SimpleUDPClient("127.0.0.1", port)
    companion = start_companion("--osc", str(port), settings_lines="controllers: {turn: 67}\n")
    listener = listener_for(connect=companion.output_port)
    player = player_for(companion.input_port)
    player.play("control 1 5", "control 67 127", "control 67 0")
    assert wait_until(lambda: listener.companion_ons() > 0), "nobody has played, so only the pedal can be why"
    assert (0xB0, 1, 5) in listener.messages
    assert not any(message[:2] == (0xB0, 67) for message in listener.messages)
    osc.send_message("/tatumflow/panic", [])
    assert wait_until(silent(listener))
    time.sleep(0.5)
    before = listener.companion_ons()
    osc.send_message("/tatumflow/turn", 1.0)
    assert wait_until(lambda: listener.companion_ons() > before)
    assert companion.interrupt() == 0


def test_a_player_killed_in_mid_note_leaves_nothing_sounding(start_companion, player_for, listener_for):
    companion = start_companion("--temperature", "0")
    listener = listener_for(connect=companion.output_port)
    player = player_for(companion.input_port)
    player.play("control 64 127", "on 60", "on 64")
    assert wait_until(lambda: {(0, 60), (0, 64)} <= listener.sounding)
    # Ports are looked at once a second: who comes and goes in between has never been seen.
    player.play("wait 2.5")
    player.kill()
    assert wait_until(silent(listener))
    assert (0xB0, 64, 0) in listener.messages


def test_a_screen_killed_leaves_nothing_sounding_and_the_recording(start_companion, player_for, listener_for):
    companion = start_companion()
    listener = listener_for(connect=companion.output_port)
    player = player_for(companion.input_port)
    player.play("on 60")
    assert wait_until(lambda: (0, 60) in listener.sounding)
    engine = companion.engine()
    companion.process.kill()
    assert wait_until(silent(listener))
    _, alive = psutil.wait_procs([engine], timeout=PATIENCE)
    assert not alive
    assert [note.pitch for note in read_midi(companion.recording).notes] == [60]


def test_an_engine_killed_is_silenced_said_and_started_again(start_companion, player_for, listener_for):
    listener = listener_for(offer="hall")
    companion = start_companion("--out", "hall")
    player = player_for(companion.input_port)
    player.play("on 60")
    assert wait_until(lambda: (0, 60) in listener.sounding)
    dead = companion.engine()
    os.kill(dead.pid, signal.SIGKILL)
    assert wait_until(silent(listener))

    def heard():
        # The server may show the dead engine's port a while longer; who connects to that is not heard.
        again = player_for(companion.input_port)
        again.play("on 62", "wait 0.3", "off 62")
        found = wait_until(lambda: (0x90, 62, 90) in listener.messages, 2.0)
        again.kill()
        return found

    assert wait_until(heard)
    assert companion.engine().pid != dead.pid
    assert companion.interrupt() == 1
    assert wait_until(silent(listener))


def test_an_unplugged_keyboard_is_released_and_comes_back(start_companion, player_for, listener_for):
    keyboard = player_for("offer", "keys")
    companion = start_companion("--in", "keys")
    listener = listener_for(connect=companion.output_port)
    keyboard.play("wait 0.3", "on 60")
    assert wait_until(lambda: (0, 60) in listener.sounding)
    keyboard.kill()
    assert wait_until(silent(listener))
    again = player_for("offer", "keys")

    def heard():
        again.play("on 62", "off 62", "wait 0.2")
        return (0x90, 62, 90) in listener.messages

    assert wait_until(heard)

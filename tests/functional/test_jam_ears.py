"""A jam that hears: a horn plays into its audio input, and whatever hears it dies, nothing hangs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile
import soxr
from duo import NUMBERS, PATIENCE, Companion, Listener, wait_until
from needs import imported
from symusic.core import ScoreSecond

from tatumflow.engine.midi.midi_file import MidiTrack
from tatumflow.engine.midi.notes import Note
from tatumflow.live.audio.commands import ChooseStem, RecordStems, SetStem
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.midi.synth import render
from tatumflow.live.midi.synth_sounds import SAMPLE_RATE
from tatumflow.live.processes.host import EngineHost
from tatumflow.live.processes.options import EngineOptions
from tatumflow.live.settings import AudioSettings, PortSettings, Settings, SynthSettings

jack = imported("jack")

pytestmark = [
    pytest.mark.ports,
    pytest.mark.needs("JACK-Client", "fluidsynth", "soundfont"),
    pytest.mark.slow,
]

LINE = (62, 66, 69, 71, 69, 66)
BEAT = 0.25
REST = 2.0
ALTO_SAXOPHONE = 65
HUMAN_STATUS = 0x90


class Horn:
    """A JACK client that plays a rendered line again and again, with rests between."""

    def __init__(self, server: str) -> None:
        self.playing = False
        self._client: Any = jack.Client("Horn", servername=server, no_start_server=True)
        notes = [Note(BEAT * place, 0.9 * BEAT, pitch, 100) for place, pitch in enumerate(LINE)]
        sound = render([MidiTrack("horn", notes)], SynthSettings(program=ALTO_SAXOPHONE))
        sound = sound.mean(axis=1).astype(np.float32) / 32_768
        sound = soxr.resample(sound, SAMPLE_RATE, self._client.samplerate)
        size = round((BEAT * len(LINE) + REST) * self._client.samplerate)
        self._sound = np.zeros(size, dtype=np.float32)
        self._sound[: len(sound)] = sound[:size]
        self._at = 0
        self._port = self._client.outports.register("out")
        self._client.set_process_callback(self._process)
        self._client.activate()

    @property
    def beat(self) -> float:
        """Where it is in its line and the rest."""
        return self._at % len(self._sound) / self._client.samplerate / BEAT

    def _process(self, count: int) -> None:
        out = self._port.get_array()
        if not self.playing:
            out[:] = 0
            return
        out[:] = self._sound.take(np.arange(self._at, self._at + count), mode="wrap")
        self._at += count

    def close(self) -> None:
        self._client.deactivate()
        self._client.close()


@pytest.fixture
def horn(jack_server: str) -> Iterator[Horn]:
    horn = Horn(jack_server)
    yield horn
    horn.close()


def ears_of(companion: Companion) -> psutil.Process:
    """Return the process of the ears, a child of the engine's."""
    children = companion.engine().children()
    return next(child for child in children if "spawn_main" in " ".join(child.cmdline()))


def played_by_the_horn(companion: Companion) -> list[Note]:
    """Return the notes of the human's track of the recording as it is now, by onset."""
    if not companion.recording.exists():
        return []
    tracks = ScoreSecond(companion.recording).tracks
    track = next(track for track in tracks if track.name == "You")
    notes = [Note(note.start, note.duration, note.pitch, note.velocity) for note in track.notes]
    return sorted(notes, key=lambda note: note.onset)


def test_a_horn_is_heard_and_answered_and_again_after_its_ears_were_killed(
    horn: Horn, start_companion: Callable[..., Companion], listener_for: Callable[..., Listener]
):
    begun = time.monotonic()
    companion = start_companion("--stem", "input", "--audio-input", "Horn", "--record-stems")
    listener = listener_for(connect=companion.output_port)
    horn.playing = True
    assert wait_until(lambda: listener.companion_ons() > 0, 2 * PATIENCE), "no answer"

    assert wait_until(lambda: 2.4 < horn.beat < 2.8)
    killed = ears_of(companion)
    os.kill(killed.pid, signal.SIGKILL)
    moment = time.monotonic() - begun
    assert "the ears ended by signal 9; they are started again" in companion.says("ears")
    # The recording began after `begun`: what is later than this in it was played after the kill.
    heard_again = lambda: any(note.onset > moment for note in played_by_the_horn(companion))  # noqa: E731
    assert wait_until(heard_again, 2 * PATIENCE), "not heard again"
    ears = ears_of(companion)
    assert ears.pid != killed.pid
    horn.playing = False
    assert companion.interrupt() == 0
    assert not ears.is_running()
    assert wait_until(lambda: not listener.sounding)
    # The horn sounds by itself: nothing of it goes out.
    assert not [message for message in listener.messages if message[0] == HUMAN_STATUS]

    notes = played_by_the_horn(companion)
    of_the_line = [note for note in notes if note.pitch in LINE]
    assert set(LINE) <= {note.pitch for note in notes}
    assert len(of_the_line) >= 0.8 * len(notes)
    # The note that sounded when the ears were killed has ended there.
    assert max(note.duration for note in notes) < BEAT * len(LINE)
    folder = companion.recording.parent
    assert (folder / f"{companion.name} stems" / "input.wav").exists()
    assert soundfile.info(folder / f"{companion.name} stems 2" / "input.wav").frames > 0


def test_a_device_asked_for_that_is_not_there_ends_it_in_one_line(
    horn: Horn, tiny_bundle: Path, tmp_path: Path
):
    command = [sys.executable, "-m", "tatumflow.live.cli", "jam", "--headless", "--no-synth"]
    command += ["--model", str(tiny_bundle), "--record", str(tmp_path / "none.mid")]
    done = subprocess.run(
        [*command, "--stem", "input", "--audio-input", "Bassoon"],
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        env=os.environ | {"XDG_STATE_HOME": str(tmp_path)},
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("tatumflow: audio input 'Bassoon' does not exist; there is ")
    assert "'Horn' (JACK" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_screen_sees_the_sound_and_steers_it(
    horn: Horn, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    settings = Settings(
        ports=PortSettings(api="jack", input="", virtual_name=f"Duo{next(NUMBERS)}"),
        synth=SynthSettings(enabled=False),
        audio=AudioSettings(enabled=True, input="Horn", separator="none"),
        model=str(tiny_bundle),
    )
    host = EngineHost(EngineOptions(settings, need_ears=True, recording=tmp_path / "steered.mid"))
    host.start()

    def shown(condition: Callable[[AudioStatus], bool]) -> bool:
        return wait_until(lambda: condition(host.audio() or AudioStatus()))

    try:
        assert shown(lambda audio: audio.input == "Horn" and audio.state == "open")
        horn.playing = True
        assert shown(lambda audio: audio.input_level.rms > 0.001)
        host.send(ChooseStem("input"))
        host.send(SetStem("input", gain_db=-6.0, muted=True))
        assert shown(lambda audio: audio.playing == "input" and audio.stems[0].mix.muted)
        assert host.settings.audio.stem == "input"
        host.send(RecordStems(True))
        assert shown(lambda audio: audio.recording == str(tmp_path / "steered stems"))
        assert wait_until((tmp_path / "steered stems" / "input.wav").exists)
        host.send(ChooseStem("drums"))

        def said() -> bool:
            snapshot = host.latest()
            return snapshot is not None and any("'drums'" in notice.text for notice in snapshot.notices)

        assert wait_until(said)
    finally:
        host.close()
    assert host.failure == ""
    assert soundfile.info(tmp_path / "steered stems" / "input.wav").frames > 0

"""The screen's side of an engine that crashes: the messages, and that no engine runs on after the close."""

import threading

import pytest
from fake_child import PATIENCE, FakeChild, until

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import EngineStartError
from tatumflow.engine.messages import RollNote, Shutdown, Snapshot
from tatumflow.engine.midi.notes import Role
from tatumflow.live.midi import output_process
from tatumflow.live.processes import host as host_module
from tatumflow.live.processes.host import EngineHost
from tatumflow.live.processes.options import EngineOptions
from tatumflow.live.processes.reports import Failure, Ready
from tatumflow.live.settings import Settings


class Session:
    """A host whose engines are fakes; the second start can be held up."""

    def __init__(self) -> None:
        self.engines: list[FakeChild] = []
        self.starting = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.host = EngineHost(EngineOptions(Settings()), self.launch)

    def launch(self, options, channel):
        engine = FakeChild()
        if self.engines:
            self.starting.set()
            assert self.go_on.wait(PATIENCE)
        else:
            engine.theirs.send(Ready())
        self.engines.append(engine)
        return engine, engine.ours


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setattr(output_process, "can_hold_outputs", lambda: False)
    session = Session()
    session.host.start()
    yield session
    session.go_on.set()
    for engine in session.engines:
        if engine.exitcode is None:
            engine.die(0)
    session.host.close()


def test_a_close_while_an_engine_is_started_again_ends_that_engine(session):
    session.go_on.clear()
    session.engines[0].die(-9)
    assert session.starting.wait(PATIENCE)
    closing = threading.Thread(target=session.host.close)
    closing.start()
    closing.join(0.1)
    session.go_on.set()
    assert until(lambda: len(session.engines) == 2)
    again = session.engines[1]
    assert again.theirs.poll(PATIENCE), "the new engine got no Shutdown"
    assert isinstance(again.theirs.recv(), Shutdown)
    again.die(0)
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert session.host.wait(0)


def test_an_engine_that_dies_after_the_close_is_not_started_again(session):
    closing = threading.Thread(target=session.host.close)
    closing.start()
    assert session.engines[0].theirs.poll(PATIENCE)
    session.engines[0].die(-9)
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert len(session.engines) == 1
    assert not session.host.restarting


def test_an_engine_that_is_not_ready_in_time_is_ended_with_an_error(monkeypatch):
    monkeypatch.setattr(output_process, "can_hold_outputs", lambda: False)
    monkeypatch.setattr(host_module, "_START_SECONDS", 0.05)
    engine = FakeChild()

    def end_in_order():
        assert engine.theirs.poll(PATIENCE)
        assert isinstance(engine.theirs.recv(), Shutdown)
        engine.die(0)

    host = EngineHost(EngineOptions(Settings()), lambda *_: (engine, engine.ours))
    ending = threading.Thread(target=end_in_order)
    ending.start()
    with pytest.raises(EngineStartError, match=r"not ready after 0\.05 s; close other programs"):
        host.start()
    ending.join(PATIENCE)
    assert engine.exitcode == 0
    assert not host.alive


@pytest.mark.parametrize("expected", [True, False])
def test_an_engine_that_fails_at_the_start_gives_its_own_reason(monkeypatch, expected):
    monkeypatch.setattr(output_process, "can_hold_outputs", lambda: False)

    def launch(options, channel):
        engine = FakeChild()
        engine.theirs.send(Failure("no such model", expected=expected))
        engine.die(0)
        return engine, engine.ours

    with pytest.raises(EngineStartError, match=r"^no such model$"):
        EngineHost(EngineOptions(Settings()), launch).start()


def playing() -> Snapshot:
    notes = (
        RollNote(Role.COMPANION, 0.5, None, 60, 80),
        RollNote(Role.COMPANION, 1.5, 0.2, 62, 80, planned=True),
    )
    return Snapshot(1.0, "playing", Controls(), notes=notes, held=((Role.COMPANION, 60),))


@pytest.mark.parametrize("pipe_stays", [False, True], ids=["pipe closed", "pipe held by another"])
def test_a_dead_engine_is_seen_at_once_and_what_it_played_is_gone(session, pipe_stays):
    host, dead = session.host, session.engines[0]
    dead.theirs.send(playing())
    assert until(lambda: (shown := host.latest()) is not None and shown.turn == "playing")
    session.go_on.clear()
    dead.die(-9, pipe_stays=pipe_stays)
    assert session.starting.wait(PATIENCE)
    assert host.restarting
    assert "signal 9" in host.failure
    shown = host.latest()
    assert (shown.turn, shown.held, shown.notes) == ("listening", (), ())
    (notice,) = shown.notices
    assert "started again" in notice.text
    session.go_on.set()
    assert until(lambda: len(session.engines) == 2)
    assert host.restarting, "it is not ready yet"
    session.engines[1].theirs.send(Ready())
    assert until(lambda: not host.restarting)
    assert host.alive
    assert [notice.text for notice in host.latest().notices] == ["the engine plays again"]


def test_an_engine_that_dies_twice_stays_down(session):
    session.engines[0].die(1)
    assert until(lambda: len(session.engines) == 2)
    session.engines[1].theirs.send(Failure("the engine stopped: again", expected=False))
    session.engines[1].die(0)
    assert session.host.wait(PATIENCE)
    assert not session.host.restarting
    assert not session.host.alive
    assert session.host.failure == "the engine stopped: again"


def test_a_recording_that_was_lost_fails_a_session_that_ended_in_order(session):
    engine = session.engines[0]
    engine.theirs.send(Failure("the recording could not be saved", expected=True))
    engine.die(0)
    assert session.host.wait(PATIENCE)
    assert session.host.failure == "the recording could not be saved"
    assert len(session.engines) == 1

"""The supervisor of a child process: reports in order, one restart, and an end in every case."""

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import pytest
from fake_child import PATIENCE, FakeChild, until

from tatumflow.engine.messages import Shutdown
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.processes.reports import Failure, Ready, ReportPipe
from tatumflow.live.processes.supervisor import (
    Child,
    ChildRules,
    Crashed,
    Ended,
    Over,
    Supervisor,
    spawn,
)

RULES = ChildRules("the child", stop_seconds=PATIENCE, exit_seconds=5.0)


@dataclass(frozen=True)
class Options:
    """What the small child does."""

    reports: int = 3
    failure: Failure | None = None
    exit_code: int | None = None
    deaf: bool = False


def work(connection: Connection, options: Options) -> None:
    """Report, then end as the options say, or echo commands until a `Shutdown`."""
    for number in range(options.reports):
        connection.send(number)
    if options.failure is not None:
        connection.send(options.failure)
        return
    connection.send(Ready())
    if options.exit_code is not None:
        os._exit(options.exit_code)
    while True:
        command = connection.recv()
        if isinstance(command, Shutdown) and not options.deaf:
            return
        connection.send(command)


class Family:
    """A supervisor and what it takes; each start is given the options as they are then."""

    def __init__(self, options: Options | None = None, rules: ChildRules = RULES) -> None:
        self.options = options or Options()
        self.taken: list[Any] = []
        self.started: list[bool] = []
        self.children: list[FakeChild] = []
        self.starting = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.broken = False
        launch = self.launch_fake if options is None else self.launch
        self.supervisor: Supervisor[object] = Supervisor(rules, launch, self.taken.append)

    def launch(self, again: bool) -> Child:
        self.started.append(again)
        return spawn(work, self.options, name="small child", daemon=True)

    def launch_fake(self, again: bool) -> Child:
        self.started.append(again)
        if again:
            self.starting.set()
            assert self.go_on.wait(PATIENCE)
            if self.broken:
                raise OSError("no more processes")
        child = FakeChild()
        self.children.append(child)
        return child, child.ours


@pytest.fixture
def fake() -> Iterator[Family]:
    family = Family()
    family.supervisor.start()
    yield family
    family.go_on.set()
    for child in family.children:
        if child.exitcode is None:
            child.die(0)
    family.supervisor.close()


def test_a_child_reports_in_order_takes_commands_and_ends_with_a_shutdown():
    family = Family(Options(reports=200))
    family.supervisor.start()
    assert family.supervisor.wait_settled(PATIENCE)
    assert family.supervisor.alive
    for command in ("first", "second"):
        family.supervisor.send(command)
    assert until(lambda: "second" in family.taken)
    family.supervisor.close()
    assert family.supervisor.wait(0)
    assert family.taken == [*range(200), Ready(), "first", "second", Ended(False), Over()]
    assert not family.supervisor.alive
    assert family.supervisor.failure == ""
    family.supervisor.send("too late")
    family.supervisor.close()


def test_a_child_that_crashes_is_started_once_more_with_the_options_as_they_are_then():
    family = Family(Options(reports=0))
    family.supervisor.start()
    assert family.supervisor.wait_settled(PATIENCE)
    first = family.supervisor.pid
    family.options = Options(reports=1)
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert until(lambda: family.taken.count(Ready()) == 2 and not family.supervisor.restarting)
    assert family.supervisor.pid != first
    reason = "the child ended by signal 9"
    assert family.taken == [Ready(), Crashed(reason, again=True), Ended(True), 0, Ready()]
    assert family.started == [False, True]
    assert family.supervisor.pid is not None
    os.kill(family.supervisor.pid, signal.SIGKILL)
    assert family.supervisor.wait(PATIENCE)
    assert until(lambda: family.taken[-1] == Over())
    assert family.taken[-3:] == [Crashed(reason, again=False), Ended(True), Over()]
    assert family.supervisor.failure == reason
    assert not family.supervisor.refused


def test_a_failure_that_is_expected_is_final():
    family = Family(Options(reports=0, failure=Failure("no such device", expected=True)))
    family.supervisor.start()
    assert family.supervisor.wait_settled(PATIENCE)
    assert family.supervisor.wait(0)
    assert family.supervisor.refused
    assert family.supervisor.failure == "no such device"
    assert family.taken == [Ended(False), Over()]
    assert family.started == [False]


def test_a_failure_that_is_not_expected_is_reported_before_the_process_ends(fake: Family):
    fake.children[0].theirs.send(Failure("it stopped", expected=False))
    assert until(lambda: fake.taken == [Crashed("it stopped", again=True)])
    assert fake.supervisor.restarting
    assert fake.supervisor.alive
    fake.children[0].die(0)
    assert until(lambda: len(fake.children) == 2)


@pytest.mark.parametrize(("may_end", "starts"), [(True, 1), (False, 2)])
def test_an_end_without_a_shutdown_is_a_crash_unless_the_child_may_end(may_end: bool, starts: int):
    rules = ChildRules("the child", stop_seconds=PATIENCE, exit_seconds=5.0, may_end=may_end)
    family = Family(Options(reports=0, exit_code=0), rules)
    family.supervisor.start()
    assert family.supervisor.wait(PATIENCE)
    assert len(family.started) == starts
    assert family.supervisor.failure == ("" if may_end else "the child ended with exit code 0")


def test_a_close_while_a_child_is_started_again_gives_that_child_its_shutdown(fake: Family):
    fake.go_on.clear()
    fake.children[0].die(-9)
    assert fake.starting.wait(PATIENCE)
    closing = threading.Thread(target=fake.supervisor.close)
    closing.start()
    closing.join(0.1)
    assert closing.is_alive()
    fake.go_on.set()
    assert until(lambda: len(fake.children) == 2)
    again = fake.children[1]
    assert again.theirs.poll(PATIENCE)
    assert isinstance(again.theirs.recv(), Shutdown)
    again.die(0)
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert fake.supervisor.wait(0)


def test_a_child_that_crashes_after_the_close_is_not_started_again(fake: Family):
    closing = threading.Thread(target=fake.supervisor.close)
    closing.start()
    assert fake.children[0].theirs.poll(PATIENCE)
    fake.children[0].die(-9)
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert fake.started == [False]
    assert Crashed("the child ended by signal 9", again=False) in fake.taken


def test_nothing_is_started_after_a_close():
    family = Family(rules=RULES)
    family.supervisor.close()
    family.supervisor.start()
    assert family.started == []
    assert family.supervisor.wait(0)
    assert family.supervisor.wait_settled(0)


@pytest.mark.parametrize("ready", [False, True])
def test_a_close_before_the_child_is_ready_kills_one_that_has_nothing_to_save(ready: bool):
    rules = ChildRules("the child", stop_seconds=PATIENCE, exit_seconds=5.0, killed_unready=True)
    family = Family(rules=rules)
    family.supervisor.start()
    (child,) = family.children
    if ready:
        child.theirs.send(Ready())
        assert family.supervisor.wait_settled(PATIENCE)
        threading.Timer(0.05, child.die, (0,)).start()
    family.supervisor.close()
    assert child.killed == (not ready)
    assert family.supervisor.wait(0)


def test_a_child_that_does_not_stop_is_killed():
    family = Family(Options(deaf=True), ChildRules("the child", stop_seconds=0.2, exit_seconds=5.0))
    family.supervisor.start()
    assert family.supervisor.wait_settled(PATIENCE)
    family.supervisor.close()
    assert family.supervisor.wait(0)
    assert "signal 9" in family.supervisor.failure


def test_a_child_whose_pipe_is_closed_but_that_does_not_exit_is_killed():
    family = Family(rules=ChildRules("the child", stop_seconds=PATIENCE, exit_seconds=0.1))
    family.supervisor.start()
    family.children[0].theirs.close()
    assert until(lambda: family.children[0].killed)
    assert until(lambda: len(family.children) == 2)
    family.children[1].die(0)


def test_a_death_is_seen_though_another_process_holds_the_pipe(fake: Family):
    dead = fake.children[0]
    dead.theirs.send("the last report")
    dead.die(-9, pipe_stays=True)
    assert until(lambda: len(fake.children) == 2)
    assert fake.taken[:2] == ["the last report", Crashed("the child ended by signal 9", again=True)]
    dead.theirs.close()


def test_a_child_that_cannot_be_started_again_is_over(fake: Family):
    fake.broken = True
    fake.children[0].die(1)
    assert fake.supervisor.wait(PATIENCE)
    assert fake.supervisor.failure == (
        "the child ended with exit code 1; it cannot be started again (no more processes)"
    )
    assert not fake.supervisor.restarting


def test_a_supervisor_reads_the_newest_state_of_a_pipe(fake: Family):
    pipe = ReportPipe(fake.children[0].theirs)
    for rate in range(2000):
        pipe.show(AudioStatus(rate=rate))
    pipe.report(Ready())
    assert fake.supervisor.wait_settled(PATIENCE)
    pipe.close()
    rates = [report.rate for report in fake.taken if isinstance(report, AudioStatus)]
    assert rates == sorted(rates)
    assert rates[-1] == 1999
    assert fake.taken[-1] == Ready()

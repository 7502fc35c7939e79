"""Ctrl+C, once or in a hurry: exit status 130 and one line at most."""

import os
import signal
import subprocess
import sys
import time

import pytest

WORK = """
import atexit, os, signal, sys, threading
from tatumflow.live import cli

def insist(times):
    for _ in range(times):
        os.kill(os.getpid(), signal.SIGINT)

@cli.app.command()
def work(other: bool = False):
    print("working", flush=True)
    try:
        sys.stdin.readline()
        insist(1)
        threading.Event().wait(60)
    except KeyboardInterrupt:
        if other:
            raise ImportError("numpy failed to import") from None
        raise
    finally:
        insist(5)
        print("cleaned", flush=True)

atexit.register(insist, 5)
atexit.register(lambda: print("ended", flush=True))
sys.argv = ["tatumflow", "work", *sys.argv[1:]]
cli.main()
"""


@pytest.mark.parametrize("options", [(), ("--other",)])
def test_many_interrupts_end_a_command_in_order(options: tuple[str, ...]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WORK, *options], input="\n", capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 130
    assert ended.stdout.split() == ["working", "cleaned", "ended"]
    assert ended.stderr == "tatumflow: interrupted\n"


def test_interrupts_that_go_on_until_the_process_has_ended_do_not_kill_it() -> None:
    program = [sys.executable, "-c", WORK.replace("insist(1)", "pass")]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        for _ in range(100):
            process.send_signal(signal.SIGINT)
            time.sleep(0.005)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors == "tatumflow: interrupted\n"


def test_a_later_interrupt_ends_an_ending_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    from tatumflow.live.commands.interrupts import Interrupts

    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    interrupts = Interrupts()
    with pytest.raises(KeyboardInterrupt):
        interrupts(signal.SIGINT, None)
    interrupts(signal.SIGINT, None)
    now[0] = 3.0
    with pytest.raises(KeyboardInterrupt):
        interrupts(signal.SIGINT, None)
    now[0], interrupts.ending = 6.0, True
    with pytest.raises(KeyboardInterrupt):
        interrupts(signal.SIGINT, None)
    assert left == [130]


def test_a_command_that_is_not_interrupted_leaves_the_handler_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tatumflow.live import cli

    monkeypatch.setattr(sys, "argv", ["tatumflow", "--help"])
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit):
        cli.main()
    assert signal.getsignal(signal.SIGINT) is before

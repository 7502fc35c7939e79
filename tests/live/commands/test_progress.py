"""Signs of life from long work."""

import io

from rich.console import Console

from tatumflow.live.commands.progress import LINE_SECONDS, WorkProgress


def test_without_a_terminal_there_is_a_line_every_few_seconds():
    written, now = io.StringIO(), [0.0]
    with WorkProgress(
        "answering", 1000, "notes", console=Console(file=written), clock=lambda: now[0]
    ) as progress:
        for done in range(1000):
            now[0] = done * LINE_SECONDS / 400
            progress.show(done)
    assert written.getvalue().splitlines() == [
        "answering: 400 of 1000 notes",
        "answering: 800 of 1000 notes",
    ]


def test_on_a_terminal_there_is_a_bar_that_leaves_nothing_behind():
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100)
    with WorkProgress("answering", 10, "notes", console=console) as progress:
        progress.show(7)
    assert "7 of 10 notes" in written.getvalue()
    assert "answering" in written.getvalue()

"""The screen in a terminal that is not there, driven by keys and mouse."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from tatumflow.engine.messages import Snapshot
from tatumflow.live.tui.app import TatumFlowApp
from tatumflow.live.tui.demonstration import StillLink, demonstration


@asynccontextmanager
async def screen(
    link: StillLink, *, size: tuple[int, int] = (100, 36), pick_ports: bool = False
) -> AsyncIterator[tuple[TatumFlowApp, Pilot[None]]]:
    """Run the app behind `link`."""
    app = TatumFlowApp(link, pick_ports=pick_ports)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app, pilot


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Wait for what the screen should show."""
    for _ in range(1000):
        if condition():
            return
        await pilot.pause(0.01)
    pytest.fail("what the screen should show did not come")


def moment(**changes: object) -> Snapshot:
    """Return the demonstration with some changes."""
    return replace(demonstration(), **changes)  # pyright: ignore[reportArgumentType]

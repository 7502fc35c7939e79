"""Another model while a session goes on: opened on a thread, the newest request last, used between turns."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import BundleError
from tatumflow.live.processes.model_exchange import ModelExchange

PATIENCE = 60.0


class Session:
    """A companion and its bundle, as far as the exchange needs them."""

    def __init__(self, name: str, turn: str = "listening", controls: Controls | None = None) -> None:
        self.name = name
        self.companion = SimpleNamespace(turn=turn, controls=controls or Controls(style="", style_b=""))

    def using(self, model: Any) -> "Session":
        return Session(model.bundle.name)


class Loader:
    """Opens models by name; each waits until the test lets it through."""

    def __init__(self) -> None:
        self.notices: list[tuple[str, str]] = []
        self.opened: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.exchange = ModelExchange(lambda text, severity: self.notices.append((severity, text)), self.open)

    def open(self, name: str) -> Any:
        self.opened.append(name)
        assert self.go_on.wait(PATIENCE)
        if name == "missing":
            raise BundleError("missing: no such model")
        if name == "broken":
            raise RuntimeError("out of memory")
        return SimpleNamespace(bundle=SimpleNamespace(name=name))

    def exchanged(self, session: Session) -> Session:
        """Return the session once another model is in use."""
        results: list[Session] = []

        def other() -> bool:
            results.append(self.exchange.exchange(session))  # type: ignore[arg-type]
            return results[-1] is not session

        assert until(other)
        return results[-1]


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def test_a_requested_model_is_put_to_use_once():
    loader, session = Loader(), Session("first")
    assert loader.exchange.exchange(session) is session  # type: ignore[arg-type]
    loader.exchange.request("second")
    after = loader.exchanged(session)
    assert after.name == "second"
    assert loader.exchange.exchange(after) is after  # type: ignore[arg-type]
    assert loader.notices == [("information", "second plays from here on")]


def test_a_model_waits_for_the_end_of_a_turn():
    loader, session = Loader(), Session("first", turn="playing")
    loader.exchange.request("second")
    assert until(lambda: loader.opened == ["second"])
    time.sleep(0.05)
    assert loader.exchange.exchange(session) is session  # type: ignore[arg-type]
    session.companion.turn = "listening"
    assert loader.exchanged(session).name == "second"


def test_of_several_requests_the_last_is_put_to_use():
    loader, session = Loader(), Session("first")
    loader.go_on.clear()
    for name in ("second", "third", "fourth"):
        loader.exchange.request(name)
        assert until(lambda: loader.opened[:1] == ["second"])
    loader.go_on.set()
    assert loader.exchanged(session).name == "fourth"
    assert loader.opened == ["second", "fourth"]


def test_a_model_that_cannot_be_opened_leaves_the_one_before():
    loader, session = Loader(), Session("first")
    for name in ("missing", "broken"):
        loader.exchange.request(name)
        assert until(lambda: len(loader.notices) > 0)
        ((severity, text),) = loader.notices
        assert severity == "warning"
        assert text.startswith("the model stays: ")
        assert name in text
        loader.notices.clear()
    assert loader.exchange.exchange(session) is session  # type: ignore[arg-type]
    loader.exchange.request("second")
    assert loader.exchanged(session).name == "second"


def test_styles_that_the_next_model_lacks_are_named():
    loader, session = Loader(), Session("first", controls=Controls(style="bill-evans", style_b=""))
    loader.exchange.request("second")
    loader.exchanged(session)
    assert loader.notices == [
        ("warning", "second plays from here on; it was not trained on bill-evans"),
    ]

"""Loading another model while the session goes on: opened on a thread, put to use between turns."""

import threading
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from tatumflow.engine.errors import TatumFlowError
from tatumflow.live.notices import Notify

if TYPE_CHECKING:
    from tatumflow.live.processes.session import LoadedModel, OpenModel


class ModelExchange:
    """Opens models one at a time; the model requested last is the one that is put to use."""

    def __init__(self, notify: Notify, open_model: "Callable[[str], OpenModel] | None" = None) -> None:
        """Open nothing yet.

        Args:
            notify: Takes notices for the user, from any thread.
            open_model: Opens a bundle by its name or folder; None for `session.open_model`.
        """
        self._notify = notify
        self._open_model = open_model
        self._lock = threading.Lock()
        self._requested: str | None = None
        self._open: OpenModel | None = None
        self._busy = False

    def request(self, model: str) -> None:
        """Open the bundle of a name or folder soon."""
        with self._lock:
            self._requested, self._open = model, None
            if not self._busy:
                self._busy = True
                threading.Thread(target=self._load, name="model loader", daemon=True).start()

    def exchange(self, session: "LoadedModel") -> "LoadedModel":
        """Return the session with the model that was opened; unchanged while none was, or while it plays."""
        if self._open is None or session.companion.turn == "playing":
            return session
        with self._lock:
            model, self._open = self._open, None
        if model is None:
            return session
        before = session.companion.controls
        session = session.using(model)
        after, name = session.companion.controls, model.bundle.name
        lost = [
            slug for slug in (before.style, before.style_b) if slug not in ("", after.style, after.style_b)
        ]
        if lost:
            self._notify(f"{name} plays from here on; it was not trained on {' and '.join(lost)}", "warning")
        else:
            self._notify(f"{name} plays from here on", "information")
        return session

    def _load(self) -> None:
        from tatumflow.live.processes.session import open_model

        while True:
            with self._lock:
                requested, self._requested = self._requested, None
                if requested is None:
                    self._busy = False
                    return
            try:
                model = (self._open_model or open_model)(requested)
            except TatumFlowError as error:
                self._notify(f"the model stays: {error}", "warning")
            except Exception as error:
                traceback.print_exc()
                self._notify(f"the model stays: {requested} cannot be opened ({error})", "warning")
            else:
                with self._lock:
                    if self._requested is None:
                        self._open = model

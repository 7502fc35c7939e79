"""Saves changed settings to the user's file soon after the change, not only at the end."""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import SettingError
from tatumflow.live.settings import Settings, load_settings, save_settings

SETTLED_SECONDS: Final = 1.0
"""Seconds without a further change after which a change is saved."""

LONGEST_SECONDS: Final = 5.0
"""Seconds after which it is saved though changes go on, as of a fader that is never still."""

POLL_SECONDS: Final = 0.2
"""Seconds between two looks at the settings, at most."""


def remember(file: Path | None, before: Settings, after: Settings) -> None:
    """Write to the user's file what changed between two moments; nothing if nothing did.

    What only the command line gave is in both, and is not saved.

    Args:
        file: The user's file; None for `settings_path()`.
        before: As at the last save, or at the start.
        after: As they are now.

    Raises:
        SettingError: if the file cannot be read or written.
    """
    controls = {
        name: value
        for name, value in asdict(after.controls).items()
        if value != getattr(before.controls, name)
    }
    ports = {
        side: getattr(after.ports, side)
        for side in ("input", "output")
        if getattr(after.ports, side) != getattr(before.ports, side)
    }
    kept = load_settings(file)
    kept = kept.model_copy(update={"controls": replace(kept.controls, **controls)}).with_ports(**ports)
    if after.controllers != before.controllers:
        kept = kept.model_copy(update={"controllers": after.controllers})
    if after.audio.stem != before.audio.stem:
        kept = kept.with_audio(stem=after.audio.stem)
    save_settings(kept, file)


class SettingsSaver:
    """Watches the settings of a session on a thread of its own and saves them when they have changed."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        before: Settings,
        file: Path | None,
        notify: Callable[[str], None],
        settled: float = SETTLED_SECONDS,
    ) -> None:
        """Begin to watch.

        Args:
            settings: Returns the settings as they are now; called on the saver's thread.
            before: The settings at the start of the session.
            file: The user's file; None for `settings_path()`.
            notify: Takes one line if they cannot be saved.
            settled: Seconds without a further change after which a change is saved.
        """
        self._settings = settings
        self._saved = before
        self._file = file
        self._notify = notify
        self._settled = settled
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="settings saver", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Save what has changed since the last save, and stop.

        Raises:
            SettingError: if it cannot be saved.
        """
        self._stop.set()
        self._thread.join()
        self._save(self._settings())

    def _watch(self) -> None:
        last, first_change, last_change = self._saved, 0.0, 0.0
        waiting = False
        while not self._stop.wait(min(POLL_SECONDS, self._settled)):
            now, current = time.monotonic(), self._settings()
            if current != last:
                last, last_change = current, now
                first_change = first_change if waiting else now
                waiting = True
            if waiting and (now - last_change >= self._settled or now - first_change >= LONGEST_SECONDS):
                waiting = False
                try:
                    self._save(current)
                except SettingError as error:
                    self._notify(str(error))

    def _save(self, current: Settings) -> None:
        if current != self._saved:
            remember(self._file, self._saved, current)
            self._saved = current

"""A value that both the user and the engine set."""

from typing import Final, Generic, TypeVar

_PATIENCE: Final = 15

Value = TypeVar("Value")


class PatientValue(Generic[Value]):
    """A value that the user sets here and the engine reports.

    Reports that differ from the value set are ignored for half a second. After that the engine's value
    counts: it may have refused what was set.
    """

    def __init__(self, value: Value) -> None:
        """Begin with a value of the engine's."""
        self.value = value
        self._patience = 0

    def set(self, value: Value) -> bool:
        """Take the user's value; return whether it is another."""
        if value == self.value:
            return False
        self.value, self._patience = value, _PATIENCE
        return True

    def report(self, value: Value) -> bool:
        """Take the engine's value, called at each poll; return whether another is to be shown now."""
        if value == self.value:
            self._patience = 0
        elif self._patience > 0:
            self._patience -= 1
        else:
            self.value = value
            return True
        return False

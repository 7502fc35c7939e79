"""How a process ended, in words."""


def how_ended(code: int | None) -> str:
    """Return the words for an exit code of `multiprocessing`: negative where a signal ended it."""
    return f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"

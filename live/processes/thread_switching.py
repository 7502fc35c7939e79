"""How Python's threads share the interpreter while notes are played."""

from typing import Final

SWITCH_SECONDS: Final = 0.0005
"""Seconds after which a computing thread hands the interpreter to one that waits for it, such as the
scheduler's; for `sys.setswitchinterval`."""

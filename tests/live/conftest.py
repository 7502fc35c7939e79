"""Fixtures of the tests of ports, screen and command line."""

from command_line import run

__all__ = ["run"]

"""Targets of an export."""

from enum import StrEnum


class Target(StrEnum):
    """Runtime of a bundle; every bundle runs on the CPU too."""

    CPU = "cpu"
    TENSORRT = "tensorrt"

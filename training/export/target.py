"""What a bundle can be exported for."""

from enum import StrEnum


class Target(StrEnum):
    """What a bundle runs on; every bundle runs on the CPU."""

    CPU = "cpu"
    TENSORRT = "tensorrt"

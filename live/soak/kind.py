"""What a soak can be."""

from enum import StrEnum


class Soak(StrEnum):
    """What is done for long: hours on a virtual clock, real time on JACK ports, with ears, random MIDI."""

    VIRTUAL = "virtual"
    PORTS = "ports"
    EARS = "ears"
    STORM = "storm"

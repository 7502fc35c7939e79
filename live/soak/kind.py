"""Kinds of endurance tests."""

from enum import StrEnum


class Soak(StrEnum):
    """Hours on a virtual clock, real time on JACK ports, with ears, random MIDI, floods of control values."""

    VIRTUAL = "virtual"
    PORTS = "ports"
    EARS = "ears"
    STORM = "storm"
    FLOOD = "flood"

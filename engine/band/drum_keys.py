"""Percussion keys of General MIDI that the band plays."""

from typing import Final

KICK: Final = 36
SIDE_STICK: Final = 37
SNARE: Final = 38
CLOSED_HAT: Final = 42
PEDAL_HAT: Final = 44
OPEN_HAT: Final = 46
CRASH: Final = 49
RIDE: Final = 51
RIDE_BELL: Final = 53
SECOND_CRASH: Final = 57
SECOND_RIDE: Final = 59

TOMS: Final = (50, 48, 45, 43, 41)
"""From high to low."""

RIDES: Final = (RIDE, SECOND_RIDE)
CRASHES: Final = (CRASH, SECOND_CRASH)

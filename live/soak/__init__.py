"""Endurance: hours of playing, garbage at the input, and whether every note found its end."""

"""Endurance tests: hours of playing, broken MIDI at the input, and a count of hung notes."""

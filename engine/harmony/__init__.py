"""Chords: their symbols, charts of them, and estimates of those that notes imply."""

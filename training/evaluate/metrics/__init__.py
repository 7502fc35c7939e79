"""Figures of a stretch of music: pure functions on arrays of notes."""

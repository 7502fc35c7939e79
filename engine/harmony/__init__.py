"""Chord symbols, chord charts, and chords estimated from notes."""

"""Synthetic mixes of jazz quartets: real solos, an accompaniment from their chords, rendered by stem."""

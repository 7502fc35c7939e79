"""Figures of models of melodies on held-out tunes."""

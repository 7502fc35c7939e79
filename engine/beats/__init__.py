"""Beats, downbeats and tempo of MIDI notes, tracked while they are played or over a whole performance."""

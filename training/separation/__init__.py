"""Learning to take recordings apart: recordings in stems, excerpts of them, what a model sees of these."""

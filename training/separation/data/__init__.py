"""Recordings in stems, excerpts of them, their augmentation and batches."""

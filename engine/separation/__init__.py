"""Separation of audio into stems: the stems, spectrograms, and the streaming signal path."""

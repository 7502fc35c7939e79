"""Separation of recordings into stems: data, training, evaluation, export, and synthetic mixes."""

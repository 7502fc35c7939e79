"""Melodies of packed corpora: lines, windows, batches."""

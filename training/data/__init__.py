"""Corpora, packed corpora, and the windows of notes that a model trains on."""

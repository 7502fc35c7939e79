"""Corpora, packing, and the windows that a model trains on."""

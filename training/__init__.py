"""Offline: corpora, training, evaluation and export of the models that the engine plays."""

"""Training, evaluation and export of models of melodies."""

"""Evaluation of a roll model: likelihood, and filled bars against real ones."""

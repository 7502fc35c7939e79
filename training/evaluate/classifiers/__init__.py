"""Classifiers of excerpts: by player, and companion from player."""

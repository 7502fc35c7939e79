"""Evaluation of the pitch trackers on rendered solos with known notes."""

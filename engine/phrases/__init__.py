"""Phrase conditions: latents and theory, and how they are sampled through a turn."""

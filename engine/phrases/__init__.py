"""Conditions of the companion's phrases: latents, theory, and who draws them."""

"""Rows of controls: sliders, choices, and what they share."""

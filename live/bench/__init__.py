"""Measurements of the live path on this machine, against what each part must reach."""

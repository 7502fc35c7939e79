"""Spleeter's weights, from the package that carries them to a separator that plays here; needs no torch."""

"""Conversion of Spleeter's weights to a separator, without torch."""

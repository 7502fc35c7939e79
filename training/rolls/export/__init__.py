"""Export of a trained roll model."""

"""The strip of stems and its meters."""

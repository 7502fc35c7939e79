"""The parts of an evaluation: each samples from a model or scores it, and returns figures."""

"""Benchmarks of the live path on this machine, each against its target."""

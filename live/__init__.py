"""Ports, processes, screens and the command line around the engine."""

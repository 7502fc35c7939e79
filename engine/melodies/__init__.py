"""Melodies on a grid of sixteenths: events, exported models of them, interpolation and attributes."""

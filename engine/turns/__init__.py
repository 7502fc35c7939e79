"""Turn taking, the planning of the companion's turns, and the modes."""

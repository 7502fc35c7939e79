"""People, ports and screens around the engine."""

"""Takes: what tells a player from the model in some notes, and the choice among several samples by it."""

"""A player's own style: an adapter trained on their MIDI files, merged into a bundle as one more style."""

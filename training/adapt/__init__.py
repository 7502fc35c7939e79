"""A user's own style: an adapter trained on their MIDI files and merged into a bundle."""

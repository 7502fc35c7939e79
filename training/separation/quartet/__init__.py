"""Jazz quartets made for training: real solos, an accompaniment from their chords, rendered stem by stem."""

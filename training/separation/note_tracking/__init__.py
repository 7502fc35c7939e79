"""How well the note trackers hear: rendered solos with known notes."""

"""The chart of the tune, moving with the music."""

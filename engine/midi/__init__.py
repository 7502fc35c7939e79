"""Notes and events, MIDI files, and the scheduler that sends them on time."""

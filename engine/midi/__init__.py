"""Notes and events, MIDI files, and the scheduler that sends notes on time."""

"""Beat tracking of MIDI notes: beats, downbeats and tempo, live or over a whole performance."""

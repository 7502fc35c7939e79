"""MIDI ports, inputs, outputs and the built-in synth."""

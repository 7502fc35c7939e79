"""The FractalMIDI family: a recursion of masked or autoregressive levels over piano rolls."""

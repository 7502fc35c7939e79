"""What steers the companion besides the screen: the knobs and pedals of a MIDI controller, and OSC."""

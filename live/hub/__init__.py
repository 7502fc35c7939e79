"""Models on the Hugging Face Hub: a catalogue of names, download, installation."""

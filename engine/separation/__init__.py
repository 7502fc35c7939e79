"""The signal path of separation: what the stems are, and from samples to spectrograms and back."""

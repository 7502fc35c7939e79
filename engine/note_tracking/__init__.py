"""Transcription of audio to notes, live: from samples to pitch, and from pitch to note events."""

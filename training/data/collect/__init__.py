"""Collecting MIDI files of links, folders and archives into a corpus that is checked, split and described."""

"""The note path, headless: from a human note to the companion's answer."""

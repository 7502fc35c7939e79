"""The note path, headless: from a human's note to the companion's answer."""

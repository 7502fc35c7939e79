"""Theory features of phrases: harmony, melody, rhythm and dynamics as numbers."""

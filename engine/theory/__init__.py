"""What a phrase is made of: harmony, melody, rhythm and dynamics as numbers."""

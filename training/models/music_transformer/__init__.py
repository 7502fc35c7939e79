"""The Music Transformer family: relative attention over notes flattened to four tokens each."""

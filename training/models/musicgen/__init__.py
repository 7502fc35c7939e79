"""MusicGen (Copet et al. 2023, "Simple and Controllable Music Generation"), through transformers."""

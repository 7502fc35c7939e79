"""MusicGen: fine-tuning on recordings with captions, evaluation, export, and music from a text."""

"""The beat tracker's training, its labels of a corpus, and its accuracy."""

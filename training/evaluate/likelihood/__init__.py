"""Likelihoods of held-out music under a model: windows of a corpus, sums by piece and by corpus."""

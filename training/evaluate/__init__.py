"""How good a model is: likelihoods on held-out pieces and measures of what it plays."""

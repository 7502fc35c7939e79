"""A page of samples in every mode and several styles, each the best of several by stated figures."""

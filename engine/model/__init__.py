"""The model at play time: tokens, bundle, graphs, cache, session and sampling."""

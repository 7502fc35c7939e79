"""The model as the engine runs it: tokens, bundle, graphs, cache, session and sampling."""

"""Evaluation of models: NLL of held-out pieces, and figures of what the models play."""

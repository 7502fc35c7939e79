"""The comparison of models: held-out NLL side by side, the cost of a note, pieces that they share."""

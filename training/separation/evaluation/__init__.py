"""Figures of a separation model on whole recordings, beside those of an oracle and of the mixture."""

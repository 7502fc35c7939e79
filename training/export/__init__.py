"""From a checkpoint to a bundle: graphs, quantization, proofs of parity, card."""

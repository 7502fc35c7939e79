"""Export of a checkpoint as a bundle: ONNX graphs, quantization, parity checks, model card."""

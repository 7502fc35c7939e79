"""Export of a separation model: graph, figures, model card."""

"""Training of a separation model: settings, losses, module, task."""

"""Training of a roll model: settings, losses, module, task."""

"""The trainer of all models: settings, optimizers, losses, checkpoints."""

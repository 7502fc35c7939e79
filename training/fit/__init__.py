"""The one trainer of all models: settings, optimizers, steps, checkpoints."""

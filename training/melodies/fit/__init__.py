"""Training of models of melodies: settings, losses, Lightning module, task."""

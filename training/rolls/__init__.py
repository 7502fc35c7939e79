"""Training of models of piano rolls: data, losses, evaluation, export."""

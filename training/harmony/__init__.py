"""Training and accuracy of the engine's chord estimator, on the Weimar Jazz Database."""

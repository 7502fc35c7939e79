"""How the chord estimator of the engine is learned from the Weimar Jazz Database."""

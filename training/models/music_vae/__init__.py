"""MusicVAE: a variational autoencoder of melodies, with a flat or a hierarchical decoder."""

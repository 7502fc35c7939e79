"""Packing of corpora by chunks of files: in this process, in several, or on a cluster."""

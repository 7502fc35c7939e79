"""Readers of the corpora: each turns a publisher's files into pieces."""

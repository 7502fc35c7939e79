"""Crops of piano rolls from a packed corpus."""

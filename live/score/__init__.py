"""Recorded notes as written music."""

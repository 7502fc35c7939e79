"""Whose turn it is, what the companion plays in its own, and the policies of the modes."""

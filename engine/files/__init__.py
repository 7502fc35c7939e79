"""Safe reading and writing of the user's files."""

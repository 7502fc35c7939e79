"""Settings and recipes that come with the program."""

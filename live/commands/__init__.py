"""What each command that plays or listens does."""

"""The piano roll and the lit keyboard."""

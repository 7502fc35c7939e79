"""Reading and writing whole files of the user's safely."""

"""The engine and the ears in processes of their own, and what keeps them running."""

"""Piano rolls, and the recursive model that samples them and fills bars in them."""

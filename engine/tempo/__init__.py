"""Musical time: beats and bars, clocks to follow and to give, and what is placed by them."""

"""Musical time: beats and bars, clocks in and out, the grid, and trading bars."""

"""HTML pages and their pictures, in single files that need no network."""

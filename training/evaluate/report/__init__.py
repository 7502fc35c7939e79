"""The report of an evaluation: an HTML page with plots, tables and examples to listen to."""

"""The book: charts of other programs read and written, and the folder of the user's own."""

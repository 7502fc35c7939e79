"""The TatumFlow family: a note per trunk step, predicted field by field."""

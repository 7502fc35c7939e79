"""Evaluation of separation on whole recordings, beside an oracle and the mixture."""

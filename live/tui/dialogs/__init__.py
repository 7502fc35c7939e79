"""Dialogs: choosers, numbers, ports, help."""

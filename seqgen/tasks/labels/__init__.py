"""Sequences with a label: texts, or series of numbers."""

"""A corpus and options in, trained weights and a history out."""

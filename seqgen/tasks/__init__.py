"""The tasks, one package per kind of sequence, and what they share."""

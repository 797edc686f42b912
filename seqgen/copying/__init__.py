"""Copies of the training corpus: an index of it, and how copies are found and prevented."""

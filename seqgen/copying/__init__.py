"""Originality: an index of the training corpus, and what finds or prevents copies of it."""

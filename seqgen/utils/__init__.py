"""Helpers that know nothing of sequences: atomic files, signals, hashing, the cache."""

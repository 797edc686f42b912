"""Predictions of the network, mixed with counts of n-grams and with what the sequence repeats."""

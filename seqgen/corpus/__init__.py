"""Encoded pieces and their split, and where their bytes come from."""

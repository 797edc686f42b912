"""Codecs between pieces and tokens, and the grammars that keep tokens playable."""

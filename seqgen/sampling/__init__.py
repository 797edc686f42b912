"""From logits to token ids: filters, constraints, decoding and beam search."""

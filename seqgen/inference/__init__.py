"""One forward step of a trained network: token ids and state in, logits and state out."""

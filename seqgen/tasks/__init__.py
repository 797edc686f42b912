"""One file per kind of sequence: how a file becomes tokens, and tokens become a file."""

"""Music as a sequence of tokens: files to corpus, tokens to pieces."""

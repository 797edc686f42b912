"""What seqgen's figures are measured with; each file runs by itself and prints a table."""

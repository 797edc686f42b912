"""The encoded corpus with its split, and the sources it is read from."""

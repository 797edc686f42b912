"""The task `text`: sequences of characters."""

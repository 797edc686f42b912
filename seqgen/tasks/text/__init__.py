"""Text as a sequence of characters."""

"""The task `images`: pictures as sequences of pixels."""

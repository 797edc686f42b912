"""A trained network and its mixture go on learning from a text while they read it."""

"""The music domain without learning: pieces, how they are read and written, and their codecs."""

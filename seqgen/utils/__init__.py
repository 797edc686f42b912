"""General helpers: atomic files, signals, hashing, the cache."""

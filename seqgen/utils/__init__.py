"""General helpers: files (atomic, cached, locked, from strangers), signals, processes, hashing."""

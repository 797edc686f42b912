"""Benchmarks of seqgen. Each module is a command that prints tables."""

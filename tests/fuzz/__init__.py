"""Fuzzers: seeded inputs that no user would write, to find hangs, crashes and tracebacks.

Every module with the functions `cases` and `run` is an area. `cases(seed)` yields inputs, bytes or
paths, always the same for a seed; `run(case)` does with one what seqgen would do, and may raise
only `SeqgenError`. `make fuzz` runs all areas in processes with limits, see `tests.fuzz.__main__`.
"""

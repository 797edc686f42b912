"""The version of seqgen; every module may import it."""

__version__ = "0.1.0"

"""The name of the processor."""

from __future__ import annotations

from pathlib import Path

INFORMATION = Path("/proc/cpuinfo")  # of Linux


def model_name() -> str:
    """The name that the maker gave the processor; empty if the system does not tell."""
    try:
        lines = INFORMATION.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "")

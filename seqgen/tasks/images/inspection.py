"""Describes files of pictures."""

from __future__ import annotations

from collections.abc import Sequence

from seqgen.corpus.sources import Source
from seqgen.tasks.images.files import FileResult, results
from seqgen.tasks.requests import Inspection


def inspect(sources: Sequence[Source], *, progress: bool = False) -> list[Inspection]:
    """Describe every file of a corpus of pictures.

    Args:
        sources: the files.
        progress: draw a progress bar on stderr.

    >>> inspect([Source("face.png", data=b"no picture")])[0].line
    'skipped: is no picture in PNG, JPEG, GIF, BMP or .npz format'
    """
    return [_inspection(found) for found in results(sources, progress=progress)]


def _inspection(found: FileResult) -> Inspection:
    facts = {"file": found.label, "kept": not found.reason, "reason": found.reason, **found.facts}
    if found.reason:
        return Inspection(facts, f"skipped: {found.reason}")
    several = found.facts["pictures"] > 1 or found.facts["format"] == "NPZ"
    texts = [
        f"{found.facts['pictures']:,} pictures" if several else "",
        found.facts["format"],
        f"{found.facts['width']}x{found.facts['height']}",
        "grey" if found.facts["grey"] else "colour",
        f"{found.facts['frames']} frames, of which the first is used"
        if found.facts["frames"] > 1
        else "",
    ]
    return Inspection(facts, ", ".join(filter(None, texts)))

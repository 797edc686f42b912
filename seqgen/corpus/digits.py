"""The handwritten digits installed with scikit-learn, found without importing it."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path

import numpy as np

from seqgen.corpus.sources import Source
from seqgen.errors import CorpusError

FILE = Path("datasets", "data", "digits.csv.gz")
SIDE = 8  # pixels
LEVELS = 17  # from 0 to 16


def path() -> Path | None:
    """The file of scikit-learn; None if it is not installed."""
    found = importlib.util.find_spec("sklearn")
    for package in found.submodule_search_locations or [] if found else []:
        if (file := Path(package) / FILE).exists():
            return file
    return None


def read() -> list[Source]:
    """The digits as an .npz file in memory: `images` `(N, 8, 8)` from 0 to 255, and `labels`.

    Raises:
        CorpusError: scikit-learn is not installed.
    """
    file = path()
    if file is None:
        raise CorpusError(
            'digits: scikit-learn is not installed; pip install "seqgen[datasets]", or choose '
            "another corpus"
        )
    table = np.loadtxt(file, delimiter=",")  # a row for each digit: its pixels, then its label
    images = np.rint(table[:, :-1] * 255 / (LEVELS - 1)).astype(np.uint8)
    content = io.BytesIO()
    np.savez(content, images=images.reshape(-1, SIDE, SIDE), labels=table[:, -1].astype(np.uint8))
    return [Source("digits.npz", data=content.getvalue())]

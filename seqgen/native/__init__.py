"""The C library: the loops that a recurrent network spends its time in.

Compiled where seqgen is installed, if a compiler is there (`hatch_build.py`). Everything in it
is there in Python too, slower; without a compiler that is taken.
"""

from __future__ import annotations

import ctypes
import functools
import os
from pathlib import Path
from typing import Any

LIBRARY = Path(__file__).with_name("library.so")
CELLS = ("simple_rnn", "lstm", "gru")  # as `cells.h` numbers them
VARIABLE = "SEQGEN_NATIVE"  # 0 in the environment: do without


@functools.cache
def library() -> Any:
    """The compiled library, or None.

    >>> library() is library()
    True
    """
    if os.environ.get(VARIABLE) == "0":
        return None
    try:
        return ctypes.CDLL(str(LIBRARY))
    except OSError:  # not compiled, or for another machine
        return None


def pointer(array: Any) -> Any:
    """To the first number of an array, which is not empty and whose numbers stand side by side;
    `array.ctypes` would take four times as long."""
    return ctypes.byref(ctypes.c_char.from_buffer(array))

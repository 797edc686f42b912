"""Arrays that TensorFlow takes over without a copy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seqgen.types import Floats

ALIGNMENT = 64  # bytes


def empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Floats:
    """As `numpy.empty`, aligned.

    >>> empty((2, 3), np.float32).ctypes.data % ALIGNMENT
    0
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    aligned: Floats = memory[first : first + size].view(dtype).reshape(shape)
    return aligned


def copy(array: Floats) -> Floats:
    """As `numpy.copy`, aligned."""
    result = empty(array.shape, array.dtype)
    result[...] = array
    return result

"""The loops of a layer over the times of a window, forward and backward, in C.

What `seqgen.kernels.scan` does as TensorFlow's operations, in one call for all times. Each product
is followed at once by what is done to its sums, so that these never leave the registers.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from seqgen.backend import tf
from seqgen.kernels.cell import Cell
from seqgen.kernels.gru import GRUResetAfter
from seqgen.kernels.lstm import LSTM
from seqgen.kernels.operations import Tensor
from seqgen.kernels.simple_rnn import SimpleRNN
from seqgen.native import library

SETS = {tf.bfloat16: (0,), tf.float32: (1, 2)}  # of instructions, the best first
NUMBERS: dict[type[Cell], int] = {SimpleRNN: 0, LSTM: 1, GRUResetAfter: 2}
UNITS = 16  # what the units must be a multiple of
ALIGNMENT = 64  # an array that begins at a multiple of so many bytes is handed on without a copy

Floats = Any  # an array


class Window(ctypes.Structure):
    """`struct window` of `seqgen/native/window.c`."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("set", "cell")),
        *((name, ctypes.c_int64) for name in ("units", "steps", "batch")),
        *(
            (name, ctypes.c_void_p)
            for name in (
                *("recurrent_kernel", "bias", "x", "outputs", "hidden", "carry", "kept"),
                *("gradient", "d_bias"),
            )
        ),
    ]


def supports(cell: Cell, batch_size: int | None) -> bool:
    """Whether it is there, for such a cell and batch, on this processor."""
    return (
        type(cell) in NUMBERS
        and cell.units % UNITS == 0
        and _set(cell.recurrent_kernel.dtype, batch_size) is not None
    )


def _set(dtype: Any, batch_size: int | None) -> int | None:
    """The best set of instructions, or None."""
    found = library()
    if found is None or not batch_size:
        return None
    for number in SETS.get(dtype, ()):
        columns = found.window_columns(number)
        if columns and batch_size % columns == 0:
            return number
    return None


def forward(cell: Cell, x: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, list[Tensor], Tensor]:
    """As `seqgen.kernels.scan.forward`."""
    _, steps, batch_size = x.shape
    outputs, kept, *last = tf.numpy_function(
        partial(_forward, NUMBERS[type(cell)], cell.kept),
        [x, cell.recurrent_kernel, cell.bias, *state],
        [x.dtype, x.dtype, *(tf.float32 for _ in state)],
        stateful=False,
    )
    outputs.set_shape((cell.units, steps, batch_size))
    for before, after in zip(state, last, strict=True):
        after.set_shape(before.shape)
    return outputs, last, kept


def backward(
    cell: Cell, kept: Tensor, d_outputs: Tensor, d_last: Sequence[Tensor]
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """As `seqgen.kernels.scan.backward`."""
    _, steps, batch_size = d_outputs.shape
    d, d_bias, *d_state = tf.numpy_function(
        partial(_backward, NUMBERS[type(cell)], cell.rows),
        [kept, cell.recurrent_kernel, d_outputs, *d_last],
        [d_outputs.dtype, tf.float32, *(tf.float32 for _ in d_last)],
        stateful=False,
    )
    d.set_shape((cell.rows, steps, batch_size))
    d_bias.set_shape((cell.rows,))
    for after, before in zip(d_last, d_state, strict=True):
        before.set_shape(after.shape)
    return d, d_bias, d_state


def _forward(
    number: int, kept_rows: int, x: Floats, recurrent_kernel: Floats, bias: Floats, *state: Floats
) -> list[Floats]:
    units, batch_size = state[0].shape
    steps = x.shape[1]
    outputs = _empty((units, steps, batch_size), x.dtype)
    kept = _empty((steps, units, kept_rows, batch_size), x.dtype)
    last = [_copy(each) for each in state]
    _call(
        library().window_forward, number, steps, last,
        recurrent_kernel=recurrent_kernel, bias=bias, x=x, outputs=outputs, kept=kept,
    )  # fmt: skip
    return [outputs, kept, *last]


def _backward(
    number: int, rows: int, kept: Floats, recurrent_kernel: Floats, d_outputs: Floats,
    *d_last: Floats,
) -> list[Floats]:  # fmt: skip
    _, steps, batch_size = d_outputs.shape
    d = _empty((rows, steps, batch_size), d_outputs.dtype)
    d_bias = _empty((rows,), np.float32)
    d_state = [_copy(each) for each in d_last]
    _call(
        library().window_backward, number, steps, d_state,
        recurrent_kernel=recurrent_kernel, outputs=d_outputs, kept=kept, gradient=d, d_bias=d_bias,
    )  # fmt: skip
    return [d, d_bias, *d_state]


def _call(work: Any, number: int, steps: int, state: list[Floats], **arrays: Floats) -> None:
    """`state` holds that before the window, then that behind it."""
    units, batch_size = state[0].shape
    arrays |= dict(zip(("hidden", "carry"), state, strict=False))
    dtype = tf.as_dtype(arrays["recurrent_kernel"].dtype)
    window = Window(_set(dtype, batch_size), number, units, steps, batch_size)
    for name, array in arrays.items():
        setattr(window, name, array.ctypes.data)
    if work(ctypes.byref(window)):
        raise MemoryError(f"no memory for a window of {units} units and a batch of {batch_size}")


def _empty(shape: tuple[int, ...], dtype: Any) -> Floats:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].view(dtype).reshape(shape)


def _copy(array: Floats) -> Floats:
    copy = _empty(array.shape, array.dtype)
    copy[...] = array
    return copy

"""The loops of a layer over the steps of a window, forward and backward, in C.

One call for all steps does what `seqgen.network.kernels.tf_loop` does as TensorFlow operations.
A step is a product for all units, of tiles whose sums stay in registers, and then the activations.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from seqgen.native import CELLS, ISAS, check, first_supported, library
from seqgen.network.backend import tf
from seqgen.network.kernels import arrays
from seqgen.network.kernels.cell import Cell
from seqgen.types import Floats, Ids, Tensor

UNITS = 16  # the number of units must be a multiple of this
# Of every cell, in the order of `CELLS`, as `seqgen/native/train_window.c` has them.
GATES, RESIDUALS, GRADIENT_ROWS = (1, 4, 3), (1, 6, 5), (1, 4, 4)


class Window(ctypes.Structure):
    """`struct window` of `seqgen/native/train_window.c`."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("isa", "cell")),
        *((name, ctypes.c_int64) for name in ("units", "width", "steps", "batch")),
        *(
            (name, ctypes.c_void_p)
            for name in (
                *("weights", "packed", "packed_kernel", "products", "ids", "bias", "inputs"),
                *("outputs", "hidden", "cell_state", "residuals", "gradient", "d_products"),
                "d_bias",
            )
        ),
    ]


def supports(cell: Cell) -> bool:
    """Whether C has the loops of a cell, for its units and batch size, on this processor."""
    return (
        cell.native is not None
        and cell.units % UNITS == 0
        and _isa(cell.recurrent_kernel.dtype, cell.batch_size) is not None
    )


def _isa(dtype: tf.DType, batch_size: int | None) -> int | None:
    """The number of the fastest instruction set for a dtype and batch size, or None."""
    if not batch_size or dtype not in (tf.bfloat16, tf.float32):
        return None

    def fits(isa: int) -> bool:
        has_dtype = (ISAS[isa] == "avx512_bf16") == (dtype == tf.bfloat16)
        return has_dtype and batch_size % int(library().window_columns(isa)) == 0

    return first_supported(fits)


class Loops:
    """As `seqgen.network.kernels.tf_loop.Loops`."""

    def __init__(self, cell: Cell, kernel: Tensor) -> None:
        self.cell = cell
        self.dtype = cell.recurrent_kernel.dtype
        self.code = CELLS.index(cell.native)
        self.kernel = kernel
        if kernel.dtype != tf.float32:  # its products are taken inside the loop
            self.kernel = self._packed(kernel, "window_pack_forward")
        self.forwards = self._packed(cell.recurrent_kernel, "window_pack_forward")
        self.backwards = self._packed(cell.recurrent_kernel, "window_pack_backward")

    def _packed(self, weights: Tensor, work: str) -> Tensor:
        pack = partial(_pack, self.code, self.cell.units, self.cell.batch_size, work)
        return tf.numpy_function(pack, [weights], tf.uint32, stateful=False)

    def forward(
        self, inputs: Tensor, state: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        """As those of TensorFlow."""
        cell = self.cell
        outputs, residuals, *last = tf.numpy_function(
            partial(_forward, self.code, cell.residuals, self.dtype.as_numpy_dtype),
            [inputs, self.kernel, self.forwards, cell.bias, *state],
            [self.dtype, self.dtype, *(tf.float32 for _ in state)],
            stateful=False,
        )
        outputs.set_shape((cell.units, *inputs.shape[-2:]))
        for before, after in zip(state, last, strict=True):
            after.set_shape(before.shape)
        return outputs, last, residuals

    def backward(
        self, residuals: Tensor, d_outputs: Tensor, d_last: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """As those of TensorFlow."""
        cell = self.cell
        d, d_bias, *d_state = tf.numpy_function(
            partial(_backward, self.code, cell.rows),
            [residuals, self.backwards, d_outputs, *d_last],
            [d_outputs.dtype, tf.float32, *(tf.float32 for _ in d_last)],
            stateful=False,
        )
        d.set_shape((cell.rows, *d_outputs.shape[1:]))
        d_bias.set_shape((cell.rows,))
        for after, before in zip(d_last, d_state, strict=True):
            before.set_shape(after.shape)
        return d, d_bias, d_state

    def gradient_of_table(self, ids: Tensor, d: Tensor) -> Tensor:
        """As that of TensorFlow."""
        cell, (width, rows) = self.cell, self.kernel.shape
        scatter = partial(_scatter, self.code, cell.units, width)
        d_table = tf.numpy_function(scatter, [ids, d], tf.float32, stateful=False)
        d_table.set_shape((width, rows))
        return d_table


def _pack(cell: int, units: int, batch_size: int, work: str, weights: Floats) -> Floats:
    """Pack weights `(width, gates)` into the words that a loop reads."""
    shape = (units, len(weights), 0, batch_size)
    size = _array_bytes(work, cell, weights.dtype, shape)["packed"]
    packed = arrays.empty((size // 4,), np.uint32)
    _call(work, cell, weights.dtype, shape, weights=weights, packed=packed)
    return packed


def _forward(
    cell: int, residual_rows: int, dtype: type, inputs: Floats | Ids, kernel: Floats,
    packed: Floats, bias: Floats, *state: Floats,
) -> list[Floats]:  # fmt: skip
    units = len(state[0])
    *width, steps, batch_size = inputs.shape
    given: dict[str, Floats | Ids]
    if inputs.dtype == np.int32:
        width, given = [len(kernel)], {"products": kernel, "ids": inputs}
    elif kernel.dtype == np.float32:
        rows = inputs.reshape(len(inputs), -1).T
        products = np.matmul(rows, kernel, out=arrays.empty((len(rows), kernel.shape[1]), dtype))
        width, given = [len(rows)], {"products": products}
    else:
        given = {"packed_kernel": kernel, "inputs": inputs}
    outputs = arrays.empty((units, steps, batch_size), dtype)
    residuals = arrays.empty((steps, units, residual_rows, batch_size), dtype)
    last = [arrays.copy(each) for each in state]
    _call(
        "window_forward", cell, dtype, (units, *width, steps, batch_size),
        packed=packed, bias=bias, outputs=outputs, residuals=residuals, **given, **_named(last),
    )  # fmt: skip
    return [outputs, residuals, *last]


def _backward(
    cell: int, rows: int, residuals: Floats, packed: Floats, d_outputs: Floats, *d_last: Floats
) -> list[Floats]:
    units, steps, batch_size = d_outputs.shape
    d = arrays.empty((rows, steps, batch_size), d_outputs.dtype)
    d_bias = arrays.empty((rows,), np.float32)
    d_state = [arrays.copy(each) for each in d_last]
    _call(
        "window_backward", cell, d_outputs.dtype, (units, 0, steps, batch_size),
        packed=packed, outputs=d_outputs, residuals=residuals, gradient=d, d_bias=d_bias,
        **_named(d_state),
    )  # fmt: skip
    return [d, d_bias, *d_state]


def _scatter(cell: int, units: int, width: int, ids: Ids, gradient: Floats) -> Floats:
    """The gradient `(N, gates)` of the rows that the ids name."""
    rows, steps, batch_size = gradient.shape
    d_products = arrays.empty((rows, width), np.float32)
    _call(
        "window_scatter", cell, gradient.dtype, (units, width, steps, batch_size),
        ids=ids, gradient=gradient, d_products=d_products,
    )  # fmt: skip
    return np.ascontiguousarray(d_products.T)


def _named(state: Sequence[Floats]) -> dict[str, Floats]:
    """The names of the state arrays; on return they hold the state after the window."""
    return dict(zip(("hidden", "cell_state"), state, strict=False))


def _tile_rows(dtype: npt.DTypeLike, batch_size: int) -> int:
    """Packed weights have a multiple of this number of rows."""
    rows: int = library().window_tile_rows(_isa(tf.as_dtype(dtype), batch_size), batch_size)
    return rows


def _array_bytes(
    work: str, cell: int, dtype: npt.DTypeLike, shape: tuple[int, int, int, int]
) -> dict[str, int]:
    """The size in bytes of every array of `struct window`.

    Args:
        work: the name of the function of the library.
        cell: a number of `CELLS`.
        dtype: of the products.
        shape: units, width, steps and batch size.
    """
    itemsize, tile = np.dtype(dtype).itemsize, _tile_rows(dtype, shape[-1])
    units, width, steps, batch_size = shape
    gates, window = GATES[cell] * units, steps * batch_size * itemsize
    is_backward = work in ("window_pack_backward", "window_backward")
    gradient_rows = gates if work == "window_scatter" else GRADIENT_ROWS[cell] * units

    def packed(rows: int, columns: int) -> int:  # words of four bytes
        return -(-rows // tile) * tile * -(-columns * itemsize // 4) * 4

    columns = width if work == "window_pack_forward" else units
    return {
        "weights": width * gates * itemsize,
        "packed": packed(units, gates) if is_backward else packed(gates, columns),
        "packed_kernel": packed(gates, width),
        "products": 4 * width * gates,
        "ids": 4 * steps * batch_size,
        "bias": 4 * gates * (2 if CELLS[cell] == "gru" else 1),
        "inputs": width * window,
        "outputs": units * window,
        "hidden": 4 * units * batch_size,
        "cell_state": 4 * units * batch_size,
        "residuals": RESIDUALS[cell] * units * window,
        "gradient": gradient_rows * window,
        "d_products": 4 * gates * width,
        "d_bias": 4 * GRADIENT_ROWS[cell] * units,
    }


def _call(
    work: str,
    cell: int,
    dtype: npt.DTypeLike,
    shape: tuple[int, int, int, int],
    **arrays: Floats | Ids,
) -> None:
    """Call a function of the library. `shape` is (units, width, steps, batch size).

    Raises:
        ValueError: an array has another size than the function reads or writes.
    """
    units, *_, batch_size = shape
    sizes = _array_bytes(work, cell, dtype, shape)
    window = Window(_isa(tf.as_dtype(dtype), batch_size), cell, *shape)
    for name, array in arrays.items():
        if array.nbytes != sizes[name] or not array.flags.c_contiguous:
            raise ValueError(
                f"{name}: expected {sizes[name]:,} contiguous bytes for a window of {units} units "
                f"and a batch of {batch_size}, got {array.dtype} of shape {array.shape}"
            )
        setattr(window, name, array.ctypes.data)
    code = getattr(library(), work)(ctypes.byref(window))
    check(code, f"a window of {units} units and a batch of {batch_size}")

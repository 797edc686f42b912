"""The forward step of a trained network in C: one token in, the logits of the next out.

Reading the weights is most of the work, so they are int8 with a scale per row: a quarter of the
bytes, and the loss on held-out text is the same to the fourth decimal
(`python -m benchmarks.generation`). Their factors have 14 bits, the sums 32. Sums of whole numbers
do not depend on their order, so the logits of a stream do not depend on the other streams.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seqgen.cells import base as cells
from seqgen.cells.keras_cell import uses_default_activations
from seqgen.config import ModelConfig
from seqgen.inference import numpy_engine
from seqgen.inference.engine import WARM_UP
from seqgen.inference.numpy_engine import LARGEST_TABLE, summed
from seqgen.native import CELLS, ISAS, check, first_supported, library, pointer
from seqgen.types import Floats, Ids

FLOAT32 = np.dtype(np.float32)
ROWS = 16  # of a block of weights
UNIT = 8191  # 1 as a whole number of 14 bits
MAX_UNITS = 2048  # with more, a sum could exceed 32 bits


class _Matrix(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("weights", "scales")),
        *((name, ctypes.c_int64) for name in ("rows", "width")),
    ]


class _Layer(ctypes.Structure):
    _fields_ = [
        *((name, _Matrix) for name in ("input", "recurrent")),
        *((name, ctypes.c_void_p) for name in ("bias", "recurrent_bias")),
    ]


class _Network(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int32) for name in ("isa", "cell")),
        *((name, ctypes.c_int64) for name in ("layer_count", "units")),
        ("layer", ctypes.c_void_p),
        ("output", _Matrix),
        ("output_bias", ctypes.c_void_p),
    ]


def best_isa() -> int | None:
    """The number of the fastest instruction set that runs a step here, or None."""
    return first_supported(lambda isa: library().network_supports(isa))


def supports(config: ModelConfig) -> bool:
    """Whether this module can run the network, on this machine.

    >>> supports(ModelConfig(cell_options={"activation": "relu"})), supports(ModelConfig(units=20))
    (False, False)
    """
    return (
        best_isa() is not None
        and config.cell in CELLS
        and uses_default_activations(config.cell_options)
        and numpy_engine.supports(config)
        and config.cell_options.get("reset_after", True) is True
        and config.units % ROWS == 0
        and config.units <= MAX_UNITS
    )


def quantised(kernel: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Quantise a matrix to int8, with a scale per column.

    Args:
        kernel: `(width, rows)`, as in Keras.

    Returns:
        Whole numbers from -127 to 127 `(width, rows)`, and scales `(rows,)`; their product is near
        the kernel.

    >>> numbers, scales = quantised(np.array([[1.0, 0.0], [-0.5, 0.0]]))
    >>> numbers.tolist(), (numbers * scales).round(2).tolist()
    ([[127, 0], [-64, 0]], [[1.0, 0.0], [-0.5, 0.0]])
    """
    largest = np.abs(kernel).max(axis=0)
    scales = np.where(largest > 0, largest / 127, 1)
    return np.rint(kernel / scales).astype(np.int8), scales


def packed(kernel: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """A matrix as `struct matrix` of `seqgen/native/infer_step.c` has it.

    Args:
        kernel: `(width, rows)`, as in Keras.

    Returns:
        Weights `(blocks, width / 2, ROWS, 2)`, where the rows are filled up with zeros to whole
        blocks, and scales `(blocks ROWS,)` float32.

    >>> packed(np.ones((4, 3)))[0].shape
    (1, 2, 16, 2)
    """
    width, rows = kernel.shape
    numbers, scales = quantised(np.pad(kernel, ((0, 0), (0, -rows % ROWS))))
    blocks = numbers.T.reshape(-1, ROWS, width // 2, 2).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(blocks), (scales / UNIT).astype(np.float32)


def _precise_product(embedding: Floats, kernel: Floats) -> Floats:
    """embedding `(V, E)` times kernel `(E, gates units)`, summed in double precision.

    So the last bit of a float32 depends neither on NumPy's BLAS nor on the processor, and
    `native/wasm/engine.c` gets the same numbers.
    """
    product = np.empty((len(embedding), kernel.shape[1]), np.float32)
    wide = kernel.astype(np.float64)
    for start in range(0, len(embedding), 256):  # so that little memory is needed besides
        rows = slice(start, start + 256)
        product[rows] = embedding[rows].astype(np.float64) @ wide
    return product


def _checked(config: ModelConfig, weights: Sequence[Floats]) -> list[Floats]:
    """The weights as contiguous float32, with the shapes that C expects.

    Raises:
        ValueError: they have other shapes than those of the configuration.
    """
    expected = [shape for shapes in config.weight_shapes(len(weights[-1])) for shape in shapes]
    found = [array.shape for array in weights]
    if found != expected:
        raise ValueError(f"weights: expected shapes {expected}, got {found}")
    return [np.ascontiguousarray(array, FLOAT32) for array in weights]


class CEngine:
    """A network for `seqgen/native/infer_step.c`. Threads may share it.

    The state is `(B, size)`: the states of every layer, then the logits.

    Args:
        config: of the network; `supports(config)` is true.
        weights: in Keras's order, see `seqgen.inference.numpy_engine.NumpyEngine`.
        isa: an instruction set of `seqgen.native.ISAS`; None takes the fastest.

    Raises:
        ValueError: the weights have other shapes.
    """

    is_batch_invariant = True
    warm_up = WARM_UP

    def __init__(
        self, config: ModelConfig, weights: Sequence[Floats], isa: str | None = None
    ) -> None:
        weights = _checked(config, weights)
        self._arrays: list[object] = []  # C reads them, so they must live as long as the engine
        self._work = library().network_step
        self.embedding, *rest, output_kernel, output_bias = weights
        per_layer = len(rest) // config.layers
        layers = [rest[i : i + per_layer] for i in range(0, len(rest), per_layer)]
        self.kernel = layers[0][0]
        self.table: Floats | None = None
        if len(self.embedding) * self.kernel.shape[1] <= LARGEST_TABLE:
            self.table = _precise_product(self.embedding, self.kernel)
        self.logits = config.layers * config.units * cells.get(config.cell).states
        self.vocabulary_size = len(output_bias)
        self._id_dimensions = 2 if config.lags else 1
        output = self._matrix(output_kernel)
        self.size = self.logits + output.rows
        bias = np.zeros(output.rows, np.float32)
        bias[: self.vocabulary_size] = output_bias
        c_layers = (_Layer * config.layers)(
            *(self._layer(i, *each) for i, each in enumerate(layers))
        )
        self._arrays.append(c_layers)
        self._network = _Network(
            best_isa() if isa is None else ISAS.index(isa),
            CELLS.index(config.cell), config.layers, config.units,
            ctypes.addressof(c_layers), output, self._address(bias),
        )  # fmt: skip
        self._reference = ctypes.byref(self._network)

    def _address(self, array: Floats) -> int:
        self._arrays.append(array)
        return int(array.ctypes.data)

    def _matrix(self, kernel: Floats) -> _Matrix:
        blocks, scales = packed(kernel)
        return _Matrix(self._address(blocks), self._address(scales), len(scales), len(kernel))

    def _layer(
        self, number: int, kernel: Floats, recurrent_kernel: Floats, bias: Floats | None = None
    ) -> _Layer:
        biases = [] if bias is None else [self._address(row) for row in np.atleast_2d(bias)]
        input_matrix = self._matrix(kernel) if number else _Matrix()
        return _Layer(input_matrix, self._matrix(recurrent_kernel), *biases)

    def initial_state(self, batch_size: int) -> Floats:
        """Zeros: the state before the first token."""
        return np.zeros((batch_size, self.size), np.float32)

    def step(self, ids: Ids, state: Floats) -> tuple[Floats, Floats]:
        """As `Engine.step`: ids `(B,)`, with lags `(B, F)`, and state → logits and next state.

        Raises:
            ValueError: the state belongs to another number of streams, or to another engine.
            IndexError: an id is no token.
        """
        streams = len(ids)
        if (
            ids.ndim != self._id_dimensions
            or state.shape != (streams, self.size)
            or state.dtype != FLOAT32
        ):
            raise ValueError(
                f"state: expected float32 of shape {(streams, self.size)}, got {state.dtype} of "
                f"shape {state.shape}"
            )
        # NumPy would count from the end; `min` of a short list is faster than that of an array.
        if min(ids.ravel().tolist()) < 0:
            raise IndexError(f"ids: expected at least 0, got {ids.min()}")
        if self.table is None:
            first = summed(self.embedding[ids]) @ self.kernel
        else:
            first = summed(self.table.take(ids, axis=0))  # (B, gates units)
        first = np.ascontiguousarray(first)
        after = np.empty((streams, self.size), np.float32)
        if not state.flags.c_contiguous:
            state = np.ascontiguousarray(state)
        code = self._work(self._reference, streams, pointer(first), pointer(state), pointer(after))
        if code:
            check(code, "a step of the network")
        return after[:, self.logits : self.logits + self.vocabulary_size], after

    def gather_state(self, state: Floats, rows: Ids) -> Floats:
        """The state of the streams `rows` `(N,)`; a stream may occur several times."""
        return state[rows]

    def concatenate_states(self, states: Sequence[Floats]) -> Floats:
        """One state of all streams of several states, in order."""
        return np.concatenate(states)

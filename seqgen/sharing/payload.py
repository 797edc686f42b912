"""A model as bytes for `seqgen/native/wasm/engine.c`, and as characters of an HTML page.

The bytes are numbers of 64 bits and arrays, in the order in which the engine reads them, padded to
a multiple of 8. Floats are stored byte by byte, first all lowest bytes, because signs and
exponents then compress well.

In a page in windows-1252 every byte is one character. Three bytes cannot stand there as they are:
NUL, a carriage return, and `<`, which could end the element. They are escaped as `=` and the byte
plus 64, and so is `=`, as yEnc does: 2 % more, where base64 takes 33 %.
"""

from __future__ import annotations

import zlib

import numpy as np

from seqgen.cells import base as cells
from seqgen.cells.keras_cell import uses_default_activations
from seqgen.config import ModelConfig
from seqgen.errors import ConfigError
from seqgen.inference.c_engine import MAX_UNITS, ROWS, packed
from seqgen.inference.numpy_engine import LARGEST_TABLE
from seqgen.mixing.mixture import Mixture
from seqgen.mixing.tree import COUNTS, NgramTree, token_bytes
from seqgen.model_file import ModelData
from seqgen.native import CELLS
from seqgen.types import Array, Floats

ESCAPE, SHIFT = ord("="), 64
UNSAFE = (0, ord("\r"), ord("<"), ESCAPE)


def require_shareable(config: ModelConfig, vocabulary_size: int) -> None:
    """Raise `ConfigError` unless the engine of a page runs a network.

    >>> require_shareable(ModelConfig(units=64), 100)
    """
    own = (
        (config.cell in CELLS, "cell", f"one of {', '.join(CELLS)}", config.cell),
        (
            config.units % ROWS == 0 and config.units <= MAX_UNITS,
            "units",
            f"a multiple of {ROWS}, at most {MAX_UNITS:,}",
            config.units,
        ),
        (
            uses_default_activations(config.cell_options)
            and config.cell_options.get("reset_after", True) is True,
            "cell_options",
            "tanh, sigmoid and reset_after",
            config.cell_options,
        ),
    )
    for ok, name, expected, found in own:
        if not ok:
            raise ConfigError(
                f"{name}: expected {expected}, which the engine of a page has, got {found}; share "
                "another model"
            )
    gates = cells.get(config.cell).gates
    if vocabulary_size * gates * config.units > LARGEST_TABLE:
        raise ConfigError(
            f"vocabulary: expected at most {LARGEST_TABLE // gates // config.units:,} tokens with "
            f"{config.units} units, got {vocabulary_size:,}; share a smaller model"
        )


def planes(array: Array) -> bytes:
    """The numbers of an array, first all their lowest bytes.

    >>> planes(np.array([0x0201, 0x0403], "<i2")).hex()
    '01030204'
    """
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    by_byte: bytes = little.view(np.uint8).reshape(-1, array.dtype.itemsize).T.tobytes()
    return by_byte


class _Payload:
    """The bytes so far."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def numbers(self, *numbers: int) -> None:
        self.parts.append(np.array(numbers, "<i8").tobytes())

    def raw(self, data: bytes) -> None:
        self.parts.append(data + bytes(-len(data) % 8))

    def floats(self, array: Floats) -> None:
        self.raw(planes(np.asarray(array, np.float32)))

    def matrix(self, kernel: Floats) -> None:
        weights, scales = packed(kernel)
        self.raw(weights.tobytes())
        self.floats(scales)


def model_bytes(data: ModelData, mixture: Mixture | None) -> bytes:
    """What `open_model` of the engine reads.

    Args:
        data: of the model; `require_shareable` accepts its network.
        mixture: of the model; None leaves it out.
    """
    payload = _Payload()
    payload.numbers(len(data.vocabulary), mixture is not None)
    _add_network(payload, data)
    if mixture is not None:
        _add_mixture(payload, mixture)
    return b"".join(payload.parts)


def _add_network(payload: _Payload, data: ModelData) -> None:
    config = data.model_config
    embedding, *rest, output_kernel, output_bias = data.weights
    per_layer = len(rest) // config.layers
    layers = [rest[i : i + per_layer] for i in range(0, len(rest), per_layer)]
    biases = [bias for _, _, *one in layers for bias in one]
    count = len(np.atleast_2d(biases[0])) if biases else 0
    cell = CELLS.index(config.cell)
    payload.numbers(cell, config.layers, config.units, embedding.shape[1], count)
    payload.floats(embedding)
    payload.floats(layers[0][0])
    for i, (kernel, recurrent_kernel, *bias) in enumerate(layers):
        if i:
            payload.matrix(kernel)
        payload.matrix(recurrent_kernel)
        for row in np.atleast_2d(bias[0]) if bias else ():
            payload.floats(row)
    payload.matrix(output_kernel)
    payload.floats(np.pad(output_bias, (0, -len(output_bias) % ROWS)))


def _add_mixture(payload: _Payload, mixture: Mixture) -> None:
    tree, weights, bars = mixture.tree, mixture.weights, mixture.repeats.bars
    assert isinstance(tree, NgramTree)  # a growing one is in no model file
    end_id = -1 if mixture.repeats.end_id is None else mixture.repeats.end_id
    stacked = np.concatenate((weights.base[None], *weights.tables))
    nodes, width = len(tree.tokens), token_bytes(mixture.vocabulary_size)
    payload.numbers(tree.order, mixture.repeats.count, nodes, end_id)
    payload.numbers(width, stacked.size, bars is not None)
    stored = tree.to_bytes(mixture.vocabulary_size)
    for start in (0, nodes * width):  # tokens, numbers of children
        payload.raw(stored[start : start + nodes * width])
    payload.raw(stored[2 * nodes * width :])
    payload.raw(planes(COUNTS.clip(max=2**31 - 1).astype(np.int32)))
    payload.raw(planes(mixture.unigrams))
    payload.raw(planes(np.log(mixture.unigrams)))
    payload.floats(stacked)
    payload.floats(weights.evidence)
    if bars is not None:
        payload.raw(planes(bars.ticks))
        payload.raw(bars.starts.astype(np.uint8).tobytes())


def characters(data: bytes) -> bytes:
    """Data, compressed, as bytes that may stand in a `<script>` of a page in windows-1252.

    >>> b"<" in characters(bytes(range(256)))
    False
    """
    compressed = zlib.compress(data, 9)
    found = bytearray()
    for byte in compressed:
        found += bytes((ESCAPE, (byte + SHIFT) % 256)) if byte in UNSAFE else bytes((byte,))
    return bytes(found)

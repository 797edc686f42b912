"""The kernels agree with the layers of Keras: outputs, states and all gradients."""

import json
import os
import shutil
from functools import cache

import numpy as np
import pytest

from seqgen import native
from seqgen.cells import base as cells
from seqgen.native import ISAS, instruction_sets, library
from seqgen.network import kernels
from seqgen.network.backend import tf
from seqgen.network.build import keras_layer
from seqgen.network.kernels import c_loop
from seqgen.network.kernels.gru import GRUResetAfter
from seqgen.network.kernels.lstm import LSTM
from seqgen.network.kernels.simple_rnn import SimpleRNN
from seqgen.types import Layer, Tensor
from tests.conftest import compiled, low_precision

Arrays = list[np.ndarray]

WINDOW, WIDTH = 12, 5
RANDOM = np.random.default_rng(0)
CELLS = [
    ("simple_rnn", {}),
    ("simple_rnn", {"use_bias": False}),
    ("lstm", {}),
    ("lstm", {"use_bias": False}),
    ("gru", {}),
    ("gru", {"use_bias": False}),
    ("gru", {"reset_after": False}),
    ("gru", {"reset_after": False, "use_bias": False}),
]


def results(layer: Layer, inputs: Tensor, state: list[Tensor], dtype: str | None) -> Arrays:
    """Outputs and last states, then the gradients of the weights, the inputs and the states; of
    the fast layers if a type of their products is given, otherwise of Keras's layers."""

    @tf.function(autograph=False)
    def run() -> object:
        with tf.GradientTape() as tape:
            tape.watch([inputs, *state])
            if dtype:
                columns = [tf.transpose(each) for each in state]
                sequence = tf.cast(tf.transpose(inputs, (2, 1, 0)), dtype)
                outputs, after = kernels.Layer(layer, len(inputs), dtype)(sequence, columns)
                outputs = tf.cast(tf.transpose(outputs, (2, 1, 0)), tf.float32)
                after = [tf.transpose(each) for each in after]
            else:
                outputs, *after = layer(inputs, initial_state=state)
            loss = tf.reduce_sum(tf.sin(outputs)) + sum(tf.reduce_sum(each**2) for each in after)
        watched = [*layer.trainable_variables, inputs, *state]
        return [outputs, *after, *tape.gradient(loss, watched)]

    return [each.numpy() for each in run()]


@cache
def stock(cell: str, options: str, units: int, batch: int) -> tuple[Layer, list[Tensor], Arrays]:
    """A layer of Keras, its inputs and states, and its `results`."""
    sequences = {"return_sequences": True, "return_state": True}
    layer = keras_layer(cell)(units, **sequences, **json.loads(options))
    random = np.random.default_rng(0)
    inputs = tf.constant(random.normal(size=(batch, WINDOW, WIDTH)), tf.float32)
    layer(inputs)
    scale = 0.5 if units < 16 else 0.2
    layer.set_weights([random.normal(0, scale, each.shape) for each in layer.get_weights()])
    states = 2 if cell == "lstm" else 1
    state = [tf.constant(random.normal(size=(batch, units)), tf.float32) for _ in range(states)]
    return layer, [inputs, *state], results(layer, inputs, state, None)


def assert_agrees_with_keras(
    cell: str, options: dict, units: int, batch: int, dtype: str, tolerance: float
) -> None:
    layer, (inputs, *state), expected = stock(cell, json.dumps(options), units, batch)
    assert kernels.supports(type(layer), layer.get_config())
    found = results(layer, inputs, state, dtype)
    assert len(expected) == 1 + len(state) + len(layer.trainable_variables) + 1 + len(state)
    for a, b in zip(expected, found, strict=True):
        assert b.shape == a.shape
        np.testing.assert_allclose(b, a, atol=tolerance * max(1, np.abs(a).max()), rtol=tolerance)


@pytest.mark.parametrize("cell, options", CELLS)
def test_loops_of_tensorflow_agree_with_keras(cell: str, options: dict) -> None:
    assert_agrees_with_keras(cell, options, units=8, batch=3, dtype="float32", tolerance=1e-4)


IN_C = [("simple_rnn", {}), ("lstm", {}), ("gru", {}), ("gru", {"use_bias": False})]


# Columns of one tile and of several: tiles have 32 or 16 columns with AVX-512, 16 with AVX2, 8 in
# plain C. For 24 columns AVX2 has no tiles, so that the loops of TensorFlow run.
BATCHES = [("avx512", 16), ("avx512", 32), ("avx2", 16), ("avx2", 24), ("avx2", 32)]
BATCHES += [("plain", 16), ("plain", 24)]


@pytest.mark.parametrize("isa, batch", BATCHES)
@pytest.mark.parametrize("cell, options", IN_C)
def test_loops_in_c_agree_with_keras(
    cell: str, options: dict, batch: int, isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the required instructions, the loops of TensorFlow run instead."""
    here = library() is not None and library().processor_has(ISAS.index(isa))
    monkeypatch.setattr(native, "instruction_sets", lambda: (isa,) if here else ())
    assert_agrees_with_keras(cell, options, 48, batch, dtype="float32", tolerance=1e-4)


@pytest.mark.parametrize("isa", ["avx512_bf16", "avx512", "avx2", "plain", "none"])
@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_ids_give_what_their_embeddings_give(
    cell: str, isa: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if isa == "avx512_bf16":
        request.getfixturevalue("bfloat16_products")
    is_here = isa != "none" and library() and library().processor_has(ISAS.index(isa))
    monkeypatch.setattr(native, "instruction_sets", lambda: (isa,) if is_here else ())
    dtype = "bfloat16" if isa == "avx512_bf16" else "float32"
    layer = keras_layer(cell)(32)
    embedding = tf.Variable(RANDOM.normal(0, 0.3, (6, WIDTH)), dtype=tf.float32)
    ids = tf.constant(RANDOM.integers(6, size=(WINDOW, 32)), tf.int32)
    layer.build((None, None, WIDTH))
    state = [tf.constant(RANDOM.normal(size=(32, 32)), tf.float32)] * (2 if cell == "lstm" else 1)
    variables = [embedding, *layer.trainable_variables]

    @tf.function(autograph=False)
    def run(takes_ids: bool) -> object:
        with tf.GradientTape() as tape:
            table = embedding if takes_ids else None
            inputs = ids
            if not takes_ids:
                inputs = tf.cast(tf.transpose(tf.gather(embedding, ids), (2, 0, 1)), dtype)
            outputs, after = kernels.Layer(layer, 32, dtype, embedding=table)(inputs, state)
            loss = tf.reduce_sum(tf.sin(tf.cast(outputs, tf.float32)))
        return [outputs, *after, *map(tf.convert_to_tensor, tape.gradient(loss, variables))]

    tolerance = 1e-4 if dtype == "float32" else 0.1
    for expected, result in zip(run(False), run(True), strict=True):
        expected, result = (np.asarray(tf.cast(x, tf.float32)) for x in (expected, result))
        atol = tolerance * max(1, np.abs(expected).max())
        np.testing.assert_allclose(result, expected, atol=atol, rtol=tolerance)


@compiled
def test_a_token_outside_the_table_is_refused() -> None:
    layer = keras_layer("lstm")(16)
    layer.build((None, None, WIDTH))
    kernel = kernels.Layer(layer, 16, embedding=tf.zeros((6, WIDTH)))
    assert isinstance(kernel._loops, c_loop.Loops)
    with pytest.raises(ValueError, match="out of range"):
        kernel(tf.fill((4, 16), 6), [tf.zeros((16, 16))] * 2)


@low_precision
@pytest.mark.parametrize("batch", [3, 16, 32])
@pytest.mark.parametrize("cell, options", IN_C)
def test_bfloat16_is_near_keras(cell: str, options: dict, batch: int) -> None:
    # Every step rounds weights, state and products to 8 significant bits, n independent errors add
    # up to about sqrt(n) of them.
    tolerance = 2 * np.sqrt(3 * WINDOW) * 2.0**-8
    assert_agrees_with_keras(cell, options, 32, batch, dtype="bfloat16", tolerance=tolerance)


def test_the_c_files_are_compiled_where_there_is_a_compiler() -> None:
    is_switched_off = os.environ.get("SEQGEN_NATIVE") == "0"
    assert library() is not None or shutil.which("cc") is None or is_switched_off


def test_the_c_loops_support_these_sizes() -> None:
    def taken(cell: str, units: int, batch: int, dtype: str = "float32", **options: object) -> bool:
        layer = keras_layer(cell)(units, **options)
        layer.build((None, None, 3))
        return isinstance(kernels.Layer(layer, batch, dtype)._loops, c_loop.Loops)

    there = bool({*instruction_sets()} - {"avx512_bf16"})
    assert [taken(cell, 32, 16) for cell in ("simple_rnn", "lstm", "gru")] == 3 * [there]
    assert not taken("lstm", 24, 16)
    assert not taken("lstm", 32, 3)
    assert not taken("lstm", 32, 16, "float16")
    assert not taken("gru", 32, 16, reset_after=False)


def test_the_numbers_of_rows_are_those_of_the_cells() -> None:
    for number, (name, cell) in enumerate(
        zip(native.CELLS, (SimpleRNN, LSTM, GRUResetAfter), strict=True)
    ):
        assert cell.native == name and cells.get(name).gates == c_loop.GATES[number]
        assert cell.residuals == c_loop.RESIDUALS[number]
        rows = cell(tf.zeros((1, cells.get(name).gates)), tf.zeros(1), 1).rows
        assert rows == c_loop.GRADIENT_ROWS[number]


@pytest.mark.parametrize(
    "options",
    [
        {"activation": "relu"},
        {"recurrent_activation": "hard_sigmoid"},
        {"recurrent_dropout": 0.1},
        {"dropout": 0.1},
        {"activity_regularizer": "l2"},
    ],
)
def test_keras_trains_unsupported_layers(options: dict[str, object]) -> None:
    assert not kernels.supports(keras_layer("lstm"), options)
    assert kernels.supports(keras_layer("lstm"), {"kernel_regularizer": "l2"})

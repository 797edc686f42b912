"""The kernels agree with the layers of Keras: outputs, states and all gradients."""

import os
import shutil

import numpy as np
import pytest

from seqgen import native
from seqgen.native import ISAS, instruction_sets, library
from seqgen.network import kernels
from seqgen.network.backend import tf
from seqgen.network.build import keras_layer
from seqgen.network.kernels import c_loop

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


def results(layer: object, inputs: object, state: list[object], dtype: str | None) -> list:
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


def assert_agrees_with_keras(
    cell: str, options: dict, units: int, batch: int, dtype: str, tolerance: float
) -> None:
    layer = keras_layer(cell)(units, return_sequences=True, return_state=True, **options)
    inputs = tf.constant(RANDOM.normal(size=(batch, WINDOW, WIDTH)), tf.float32)
    layer(inputs)
    scale = 0.5 if units < 16 else 0.2
    layer.set_weights([RANDOM.normal(0, scale, each.shape) for each in layer.get_weights()])
    states = 2 if cell == "lstm" else 1
    state = [tf.constant(RANDOM.normal(size=(batch, units)), tf.float32) for _ in range(states)]
    assert kernels.supports(type(layer), layer.get_config())
    stock, fast = (results(layer, inputs, state, each) for each in (None, dtype))
    assert len(stock) == 1 + states + len(layer.trainable_variables) + 1 + states
    for expected, result in zip(stock, fast, strict=True):
        assert result.shape == expected.shape
        np.testing.assert_allclose(
            result, expected, atol=tolerance * max(1, np.abs(expected).max()), rtol=tolerance
        )


@pytest.mark.parametrize("cell, options", CELLS)
def test_loops_of_tensorflow_agree_with_keras(cell: str, options: dict) -> None:
    assert_agrees_with_keras(cell, options, units=8, batch=3, dtype="float32", tolerance=1e-4)


IN_C = [("simple_rnn", {}), ("lstm", {}), ("gru", {}), ("gru", {"use_bias": False})]


@pytest.mark.parametrize("isa", ["avx512", "avx2", "plain"])
@pytest.mark.parametrize("batch", [16, 32])
@pytest.mark.parametrize("cell, options", IN_C)
def test_loops_in_c_agree_with_keras(
    cell: str, options: dict, batch: int, isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the required instructions, the loops of TensorFlow run instead."""
    here = library() is not None and library().processor_has(ISAS.index(isa))
    monkeypatch.setattr(native, "instruction_sets", lambda: (isa,) if here else ())
    assert_agrees_with_keras(cell, options, 48, batch, dtype="float32", tolerance=1e-4)


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

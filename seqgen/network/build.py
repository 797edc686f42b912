"""`ModelConfig` → a Keras model of stacked recurrent layers.

Importing this module imports TensorFlow; only training and saving need it, and generation for
cell options that `seqgen.inference.numpy_engine` does not know.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from seqgen.cells import base as cells
from seqgen.config import ModelConfig
from seqgen.corpus.ngrams import ngram_rows
from seqgen.errors import ConfigError
from seqgen.network.backend import keras, tf
from seqgen.types import Layer, Network, Tensor

PADDED = -1e9  # a number that no series has: `seqgen` clips them
Tensors = list[Tensor]  # the states (B, units) of every layer; an LSTM has two


def keras_layer(cell: str) -> type[Layer]:
    """The Keras layer class of a cell.

    >>> keras_layer("gru").__name__
    'GRU'
    """
    layer = cells.get(cell).keras_layer
    return getattr(keras.layers, layer) if isinstance(layer, str) else layer


def build(config: ModelConfig, vocabulary_size: int, seed: int | None = None) -> Network:
    """A new network: ids `(B, T)`, or with lags `(B, T, F)` → logits `(B, T, V)`; with pooling →
    probabilities `(B, K)`.

    Embedding, then the recurrent layers, each followed by Dropout if there is any, then Dense. The
    same seed gives the same weights; of the random generators of the process only that of
    TensorFlow is seeded.

    With pooling, padding is masked: id 0, or steps of which all numbers are `PADDED`. A network of
    numbers `(B, T, D)` begins with a Dense layer instead of the embedding.

    Raises:
        ConfigError: the layer has no such option, or does not take its value.

    >>> build(ModelConfig(units=4, layers=2), vocabulary_size=10).output_shape
    (None, None, 10)
    >>> build(ModelConfig(units=4, pooling="last", outputs=3), vocabulary_size=10).output_shape
    (None, 3)
    """
    require_known_options(config)
    config.require_coherent()
    with _seeded(seed):
        return (
            _build_pooled(config, vocabulary_size)
            if config.pooling != "none"
            else _build(config, vocabulary_size)
        )


@contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Seed Keras's initialisers, which draw from Python's generator.

    Afterwards the generators of Python and NumPy are as before.
    """
    if seed is None:
        yield
        return
    python, numpy = random.getstate(), np.random.get_state()
    try:
        keras.utils.set_random_seed(seed)
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def _build(config: ModelConfig, vocabulary_size: int) -> Network:
    columns = 1 + len(config.lags)  # F, see `seqgen.corpus.lags`
    shape = (None, columns) if config.lags else (None,)
    inputs = keras.Input(shape, dtype="int32", name="ids")
    x = keras.layers.Embedding(columns * vocabulary_size, config.embedding)(inputs)
    if config.lags:
        x = keras.ops.sum(x, axis=2)  # (B, T, F, E) → (B, T, E)
    for _ in range(config.layers):
        x, *_ = _recurrent_layer(config, x, {}, return_sequences=True, return_state=True)
        if config.dropout:
            x = keras.layers.Dropout(config.dropout)(x)
    return keras.Model(inputs, keras.layers.Dense(vocabulary_size)(x), name="seqgen")


def _build_pooled(config: ModelConfig, vocabulary_size: int) -> Network:
    inputs, x, mask = _pooled_inputs(config, vocabulary_size)
    for layer in range(1, config.layers + 1):
        returns_all = layer < config.layers or config.pooling == "mean"
        x = _recurrent_layer(config, x, mask, return_sequences=returns_all)
        if config.dropout:
            x = keras.layers.Dropout(config.dropout)(x)
    if config.pooling == "mean":  # (B, T, units) → (B, units), without padding
        x = keras.layers.GlobalAveragePooling1D()(x, **mask)
    outputs = config.output_size(vocabulary_size)
    x = keras.layers.Dense(outputs, activation="softmax")(x)
    return keras.Model(inputs, x, name="seqgen")


def _pooled_inputs(
    config: ModelConfig, vocabulary_size: int
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """The inputs, what the first recurrent layer reads `(B, T, E)`, and the argument `mask` of
    layers, where Keras does not pass the mask on by itself."""
    if config.inputs == "numbers":
        inputs = keras.Input((None, vocabulary_size), name="numbers")
        x = keras.layers.Masking(PADDED)(inputs)  # (B, T, D)
        return inputs, keras.layers.Dense(config.embedding)(x), {}
    inputs = keras.Input((None,), dtype="int32", name="ids")
    size, width = config.embedding_rows(vocabulary_size), config.embedding
    if config.ngrams == 1:
        return inputs, keras.layers.Embedding(size, width, mask_zero=True)(inputs), {}
    rows = ngram_rows(inputs, config.ngrams, vocabulary_size, keras.ops)
    x = keras.layers.Embedding(size, width)(rows)  # (B, T, F, E)
    return inputs, keras.ops.sum(x, axis=2), {"mask": keras.ops.not_equal(inputs, 0)}


def require_known_options(config: ModelConfig) -> None:
    """Raise `ConfigError` if the Keras layer has no such option."""
    layer = keras_layer(config.cell)
    parameters = inspect.signature(layer.__init__).parameters.values()
    known = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    _require_no_imports(config.cell_options)
    for name in config.cell_options:
        if name not in known:
            raise ConfigError(
                f"cell_options: {layer.__name__} has no option {name!r}; "
                f"expected one of {', '.join(sorted(set(known) - {'self'}))}"
            )


def _require_no_imports(option: Any) -> None:
    """Raise `ConfigError` where an option would make Keras import another module.

    The options may come from the model file of a stranger.
    """
    if isinstance(option, dict):
        module = option.get("module")
        if module is not None and not str(module).startswith("keras."):
            raise ConfigError(
                f"cell_options: expected objects of Keras, got one of the module {module!r}; "
                "leave it out"
            )
    if isinstance(option, (dict, list)):
        for each in option.values() if isinstance(option, dict) else option:
            _require_no_imports(each)


def _recurrent_layer(
    config: ModelConfig, x: Tensor, mask: dict[str, Tensor], **returns: bool
) -> Tensor:
    try:
        layer = keras_layer(config.cell)(config.units, **returns, **config.cell_options)
        if config.bidirectional:
            layer = keras.layers.Bidirectional(layer)
        layer(tf.zeros((1, 1, x.shape[-1])))  # some options only fail with actual numbers
        return layer(x, **mask)
    except Exception as error:  # of many types, by Keras and TensorFlow
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(f"cell_options: {config.cell} does not take them: {reason}") from error


def initial_state(network: Network, batch_size: int) -> Tensors:
    """Zeros: the state before the first token."""
    return [
        tf.zeros((batch_size, size))
        for layer in network.layers
        if isinstance(layer, keras.layers.RNN)
        for size in state_sizes(layer)
    ]


def state_sizes(layer: Layer) -> list[int]:
    """The sizes of the states of a recurrent layer; an LSTM has two states."""
    size = layer.state_size
    return [size] if isinstance(size, int) else list(size)

"""`ModelConfig` → a Keras model of stacked recurrent layers, and its pass over a window.

Importing this module imports TensorFlow; only training and saving need it, and generation for
cell options that `seqgen.runtime` does not know.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqgen import kernels
from seqgen.backend import keras, tf
from seqgen.config import ModelConfig, TrainConfig
from seqgen.errors import ConfigError
from seqgen.runtime import Floats
from seqgen.vocabulary import Ids

Tensors = list[Any]  # a state: for each recurrent layer one tensor (B, units), for an LSTM two

LAYERS = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def build(config: ModelConfig, vocabulary_size: int, seed: int | None = None) -> Any:
    """A new network: ids `(B, T)` → logits `(B, T, V)`.

    Made of stock layers only: Embedding, then the recurrent layers, each followed by Dropout if
    there is any, then Dense. A seed, if given, seeds Python's, NumPy's and TensorFlow's random
    generators, as Keras does.

    Raises:
        ConfigError: the layer has no such option, or does not take its value.

    >>> build(ModelConfig(units=4, layers=2), vocabulary_size=10).output_shape
    (None, None, 10)
    """
    if seed is not None:
        keras.utils.set_random_seed(seed)
    _require_known_options(config)
    inputs = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(vocabulary_size, config.embedding)(inputs)
    for _ in range(config.layers):
        x, *_ = _recurrent_layer(config, x)
        if config.dropout:
            x = keras.layers.Dropout(config.dropout)(x)
    return keras.Model(inputs, keras.layers.Dense(vocabulary_size)(x), name="seqgen")


def _require_known_options(config: ModelConfig) -> None:
    taken = inspect.signature(LAYERS[config.cell].__init__).parameters
    known = [name for name, each in taken.items() if each.kind is each.POSITIONAL_OR_KEYWORD]
    for name in config.cell_options:
        if name not in known:
            raise ConfigError(
                f"cell_options: {LAYERS[config.cell].__name__} has no option {name!r}; "
                f"expected one of {', '.join(sorted(set(known) - {'self'}))}"
            )


def _recurrent_layer(config: ModelConfig, x: Any) -> Any:
    try:
        layer = LAYERS[config.cell](
            config.units, return_sequences=True, return_state=True, **config.cell_options
        )
        layer(tf.zeros((1, 1, x.shape[-1])))  # some only fail when there are numbers
        return layer(x)
    except Exception as error:  # Keras and TensorFlow raise many kinds
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(f"cell_options: {config.cell} does not take them: {reason}") from error


def is_fast(config: ModelConfig) -> bool:
    """Whether `seqgen.kernels` runs such a network, in any precision; else Keras does, in float32.

    >>> is_fast(ModelConfig()), is_fast(ModelConfig(cell_options={"activation": "relu"}))
    (True, False)
    """
    _require_known_options(config)
    usual = {"activation": "tanh", "recurrent_activation": "sigmoid"}
    options = {**usual, **config.cell_options}  # no layer is made: that would fix the threads
    return (
        all(options[name] == value for name, value in usual.items())
        and not any(
            options.get(name) for name in ("dropout", "recurrent_dropout", "activity_regularizer")
        )
        and not tf.config.list_physical_devices("GPU")  # there cuDNN is used, which nothing beats
    )


def require_fast_layers(model_config: ModelConfig, config: TrainConfig) -> None:
    """Raise `ConfigError` if something is asked for that only `seqgen.kernels` do."""
    if is_fast(model_config):
        return
    for name, expected in (("precision", "float32"), ("recurrent_dropout", 0.0)):
        if getattr(config, name) != expected:
            raise ConfigError(
                f"{name}: expected {expected}, got {getattr(config, name)}: more is there only on "
                "a CPU, for layers with the activations that Keras takes by itself"
            )


def initial_state(network: Any, batch_size: int) -> Tensors:
    """Zeros: the state before the first token."""
    return [
        tf.zeros((batch_size, size))
        for layer in network.layers
        if isinstance(layer, keras.layers.RNN)
        for size in _sizes(layer)
    ]


def _sizes(layer: Any) -> list[int]:
    size = layer.state_size
    return [size] if isinstance(size, int) else list(size)


@dataclass(frozen=True)
class Chance:
    """What is left to chance in training: dropout of outputs is the network's own, that of
    recurrent weights (Wan and others 2013; Merity and others 2018) is here."""

    seed: int
    number: Any  # of the step and the shard: one number, one choice
    recurrent_dropout: float = 0.0

    def mask(self, shape: Any, rate: float, place: int) -> Any:
        """0 for what is dropped, else so much that the mean is 1.

        Drawn without a generator's state, so that a resumed run drops what an uninterrupted one
        would; a byte of chance for each number, as chance is what takes the time.

        Args:
            shape: of the mask.
            rate: share that is dropped, taken to the nearest of 256 parts.
            place: a number of its own for each mask of a step.
        """
        dropped = min(round(256 * rate), 255)
        size = tf.reduce_prod(shape)
        numbers = tf.stack((tf.cast(self.seed, tf.int64), tf.cast(self.number, tf.int64)))
        words = tf.random.stateless_uniform(
            [(size + 3) // 4], numbers + (place << 32), None, None, tf.uint32
        )
        chances = tf.reshape(tf.reshape(tf.bitcast(words, tf.uint8), [-1])[:size], shape)
        return tf.cast(chances >= dropped, tf.float32) * (256 / (256 - dropped))


def forward(
    network: Any,
    ids: Any,
    state: Tensors,
    *,
    chance: Chance | None = None,
    precision: str = "float32",
) -> tuple[Any, Tensors]:
    """Ids `(B, T)` and the state before them → logits `(B, T, V)` and the state behind them.

    Args:
        network: what `build` gave.
        ids: the tokens.
        state: of each recurrent layer, `(B, units)`; for an LSTM two.
        chance: in training, what decides what is dropped; None drops nothing.
        precision: of the matrix products; all else is float32.

    >>> network = build(ModelConfig(units=4), vocabulary_size=10)
    >>> logits, state = forward(network, np.zeros((3, 5), int), initial_state(network, 3))
    >>> logits.shape, [each.shape for each in state]
    (TensorShape([3, 5, 10]), [TensorShape([3, 4]), TensorShape([3, 4])])
    """
    layers = [layer for layer in network.layers if isinstance(layer, keras.layers.RNN)]
    if all(map(kernels.supports, layers)) and not tf.config.list_physical_devices("GPU"):
        return _fast_forward(network, ids, list(state), chance, precision)
    return _stock_forward(network, ids, list(state), chance is not None)


def _stock_forward(network: Any, ids: Any, state: Tensors, training: bool) -> tuple[Any, Tensors]:
    x, after = ids, []
    for layer in network.layers[1:]:
        if isinstance(layer, keras.layers.RNN):
            layer_state = [state.pop(0) for _ in _sizes(layer)]
            x, *layer_state = layer(x, initial_state=layer_state, training=training)
            after += layer_state
        elif isinstance(layer, keras.layers.Dropout):
            x = layer(x, training=training)
        else:
            x = layer(x)
    return x, after


def _fast_forward(
    network: Any, ids: Any, state: Tensors, chance: Chance | None, precision: str
) -> tuple[Any, Tensors]:
    """The same through `seqgen.kernels`, as `(D, T, B)`."""
    _, embedding, *layers, dense = network.layers
    x, table = _embedded(embedding.embeddings, ids, precision)
    after: Tensors = []
    for place, layer in enumerate(layers):
        if isinstance(layer, keras.layers.RNN):
            mask = 1.0
            if chance is not None and chance.recurrent_dropout:
                shape = layer.cell.recurrent_kernel.shape
                mask = chance.mask(shape, chance.recurrent_dropout, place)
            states = [tf.transpose(state.pop(0)) for _ in _sizes(layer)]
            x, layer_after = kernels.run(layer, x, states, recurrent_mask=mask, embedding=table)
            table = None
            after += map(tf.transpose, layer_after)
        elif chance is not None:
            x *= tf.cast(chance.mask(tf.shape(x), layer.rate, place), x.dtype)
    units, _, batch_size = x.shape
    rows = tf.reshape(tf.transpose(x, (2, 1, 0)), (-1, units))
    logits = tf.matmul(rows, tf.cast(dense.kernel, precision))
    logits = tf.cast(logits, tf.float32) + dense.bias
    return tf.reshape(logits, (batch_size, -1, logits.shape[1])), after


def _embedded(embeddings: Any, ids: Any, precision: str) -> tuple[Any, Any]:
    """Ids `(B, T)` → what the first layer takes, `(D, T, B)`, and the table to look its product up
    in, or None.

    Where there are no more tokens than a vector is wide, the tokens themselves go in, one-hot, and
    the embedding is multiplied into the kernel: wide vectors then cost no more than narrow ones.
    """
    size, width = embeddings.shape
    if size > width:
        return tf.transpose(tf.gather(tf.cast(embeddings, precision), ids), (2, 1, 0)), None
    return tf.one_hot(tf.transpose(ids), size, axis=0, dtype=precision), embeddings


class KerasStepper:
    """A network one token at a time through Keras: slower than `seqgen.runtime.Runtime`, for
    cell options that it does not know."""

    streams_are_alone = False

    def __init__(self, config: ModelConfig, weights: Sequence[Floats]) -> None:
        self.network = build(config, weights[0].shape[0])
        self.network.set_weights(weights)
        self._forward = tf.function(
            lambda ids, state: forward(self.network, ids, state), reduce_retracing=True
        )

    def initial_state(self, batch_size: int) -> Tensors:
        """Zeros: the state before the first token."""
        return initial_state(self.network, batch_size)

    def step(self, ids: Ids, state: Tensors) -> tuple[Floats, Tensors]:
        """Ids `(B,)` and state → logits `(B, V)` and the next state."""
        logits, state = self._forward(tf.constant(np.asarray(ids)[:, None], tf.int32), state)
        return logits[:, 0].numpy(), state

    def streams(self, state: Tensors, rows: Ids) -> Tensors:
        """The state of these of the streams, of one as often as it is named."""
        return [tf.gather(each, rows) for each in state]

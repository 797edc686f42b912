"""A network's pass over windows, through `seqgen.network.kernels` where these know its layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from seqgen.network import kernels
from seqgen.network.backend import keras, tf
from seqgen.network.build import Tensors, has_gpu, state_sizes


@dataclass(frozen=True)
class DropoutMasks:
    """What is left to chance in training: dropout of outputs is the network's own, that of
    recurrent weights (Wan and others 2013; Merity and others 2018) is here."""

    seed: int
    number: Any  # one number, one choice
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


class Forward:
    """A network's pass over windows, with its weights as they are now.

    What all windows of a step share is worked out once: the weights as the products want them, and
    which of the recurrent ones are dropped.

    Args:
        network: what `build` gave.
        batch_size: of every window.
        chance: in training, what decides what is dropped; None drops nothing.
        precision: of the matrix products; all else is float32.

    >>> from seqgen.config import ModelConfig
    >>> from seqgen.network.build import build, initial_state
    >>> network = build(ModelConfig(units=4), vocabulary_size=10)
    >>> forward = Forward(network, batch_size=3)
    >>> logits, state = forward(tf.zeros((3, 5), tf.int32), initial_state(network, 3))
    >>> logits.shape, [each.shape for each in state]
    (TensorShape([3, 5, 10]), [TensorShape([3, 4]), TensorShape([3, 4])])
    """

    def __init__(
        self,
        network: Any,
        batch_size: int,
        *,
        chance: DropoutMasks | None = None,
        precision: str = "float32",
    ) -> None:
        self._chance = chance
        self._precision = precision
        _, self._embedding, *self._layers, self._dense = network.layers
        recurrent = [each for each in self._layers if isinstance(each, keras.layers.RNN)]
        self._is_fast = not has_gpu() and all(
            kernels.supports(type(each), each.get_config()) for each in recurrent
        )
        if self._is_fast:
            self._prepare(batch_size)

    def __call__(self, ids: Any, state: Tensors, shard: int = 0) -> tuple[Any, Tensors]:
        """Ids `(B, T)` and the state before them → logits `(B, T, V)` and the state after them.

        Args:
            ids: the tokens.
            state: of each recurrent layer, `(B, units)`; for an LSTM two.
            shard: each of a step has dropout of its own.
        """
        run = self._fast if self._is_fast else self._stock
        return run(ids, list(state), shard)

    def _stock(self, ids: Any, state: Tensors, _: int) -> tuple[Any, Tensors]:
        training = self._chance is not None
        x, after = self._embedding(ids), []
        for layer in self._layers:
            if isinstance(layer, keras.layers.RNN):
                layer_state = [state.pop(0) for _ in state_sizes(layer)]
                x, *layer_state = layer(x, initial_state=layer_state, training=training)
                after += layer_state
            else:
                x = layer(x, training=training)
        return self._dense(x), after

    def _prepare(self, batch_size: int) -> None:
        """The weights as `_fast` wants them.

        Where there are no more tokens than a vector is wide, the tokens themselves go into the
        first one, one-hot, and the embedding is multiplied into its kernel: wide vectors then cost
        no more than narrow ones.
        """
        embeddings = self._embedding.embeddings
        self._vocabulary_size, width = embeddings.shape
        self._one_hot = self._vocabulary_size <= width
        self._embeddings = None if self._one_hot else tf.cast(embeddings, self._precision)
        self._dense_kernel = tf.cast(self._dense.kernel, self._precision)
        table = embeddings if self._one_hot else None  # of the first layer
        self._fast_layers = {}
        for place, layer in enumerate(self._layers):
            if isinstance(layer, keras.layers.RNN):
                mask = None
                if self._chance and self._chance.recurrent_dropout:
                    shape = layer.cell.recurrent_kernel.shape
                    mask = self._chance.mask(shape, self._chance.recurrent_dropout, place)
                self._fast_layers[place] = kernels.Layer(
                    layer, batch_size, self._precision, recurrent_mask=mask, embedding=table
                )
                table = None

    def _fast(self, ids: Any, state: Tensors, shard: int) -> tuple[Any, Tensors]:
        """As `_stock`, through `seqgen.network.kernels`, whose sequences are `(D, T, B)`."""
        if self._one_hot:
            size = self._vocabulary_size
            x = tf.one_hot(tf.transpose(ids), size, axis=0, dtype=self._precision)
        else:
            x = tf.transpose(tf.gather(self._embeddings, ids), (2, 1, 0))
        after: Tensors = []
        for place, layer in enumerate(self._layers):
            if place in self._fast_layers:
                before = [tf.transpose(state.pop(0)) for _ in state_sizes(layer)]
                x, layer_after = self._fast_layers[place](x, before)
                after += map(tf.transpose, layer_after)
            elif self._chance is not None:
                chance = replace(self._chance, number=self._chance.number + shard)
                x *= tf.cast(chance.mask(tf.shape(x), layer.rate, place), x.dtype)
        units, _, batch_size = x.shape
        logits = tf.matmul(tf.reshape(x, (units, -1)), self._dense_kernel, transpose_a=True)
        logits = tf.cast(logits, tf.float32) + self._dense.bias
        logits = tf.reshape(logits, (-1, batch_size, logits.shape[1]))
        return tf.transpose(logits, (1, 0, 2)), after

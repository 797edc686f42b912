"""The forward pass over windows, through `seqgen.network.kernels` where they support the layers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from seqgen.network import kernels
from seqgen.network.backend import keras, tf
from seqgen.network.build import Tensors, state_sizes
from seqgen.network.fast_layers import has_gpu
from seqgen.network.kernels.blas import transposed_product
from seqgen.types import Layer, Network, Tensor

# Tokens whose products with a kernel are taken at every step: fewer than a usual step has.
LARGEST_TABLE = 1024


@dataclass(frozen=True)
class DropoutMasks:
    """Random masks of a training step: for outputs, where the network has Dropout layers, and for
    recurrent weights (Wan et al. 2013; Merity et al. 2018)."""

    seed: int
    number: Tensor  # of the step; the same number gives the same masks
    dropout: float | Tensor | None = None  # of outputs; None: the rates of the layers
    recurrent_dropout: float | Tensor | None = None  # None: no recurrent weights are dropped

    def mask(self, shape: Tensor, rate: float | Tensor, place: int) -> Tensor:
        """0 with probability `rate`, otherwise 1 / (1 - rate), so that the mean is 1.

        Stateless, so that a resumed run has the masks of an uninterrupted one. One random byte per
        element, since drawing dominates the cost: `rate` is rounded to a multiple of 1 / 256.

        Args:
            shape: of the mask.
            rate: probability of 0.
            place: distinguishes the masks of a step.
        """
        dropped = tf.minimum(tf.round(256 * tf.cast(rate, tf.float32)), 255)
        size = tf.reduce_prod(shape)
        numbers = tf.stack((tf.cast(self.seed, tf.int64), tf.cast(self.number, tf.int64)))
        words = tf.random.stateless_uniform(
            [(size + 3) // 4], numbers + (place << 32), None, None, tf.uint32
        )
        uniform = tf.reshape(tf.reshape(tf.bitcast(words, tf.uint8), [-1])[:size], shape)
        kept = uniform >= tf.cast(dropped, tf.uint8)
        return tf.cast(kept, tf.float32) * (256 / (256 - dropped))

    def of_recurrent_kernel(self, layer: Layer, place: int) -> Tensor | None:
        """The mask `(units, gates units)` of a layer for all windows; None: nothing is dropped."""
        if self.recurrent_dropout is None:
            return None
        return self.mask(layer.cell.recurrent_kernel.shape, self.recurrent_dropout, place)

    def dropped(self, x: Tensor, layer: Layer, place: int, shard: int) -> Tensor:
        """Outputs `(D, T, B)` after a Dropout layer; every shard of a step has its own mask."""
        masks = replace(self, number=self.number + shard)
        rate = layer.rate if self.dropout is None else self.dropout
        return x * tf.cast(masks.mask(tf.shape(x), rate, place), x.dtype)


def use_kernels(layers: Iterable[Layer]) -> bool:
    """Whether `seqgen.network.kernels` runs all recurrent layers; otherwise Keras does."""
    return not has_gpu() and all(
        kernels.supports(type(layer), layer.get_config()) for layer in layers
    )


class Forward:
    """The forward pass over windows, with the current weights of a network.

    What all windows of a step share is computed once: packed weights and recurrent dropout masks.

    Args:
        network: returned by `build`.
        batch_size: of every window.
        masks: for dropout in training; None drops nothing.
        precision: of the factors of matrix products; everything else is float32.

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
        network: Network,
        batch_size: int,
        *,
        masks: DropoutMasks | None = None,
        precision: str = "float32",
    ) -> None:
        self._masks = masks
        self._precision = precision
        self._inputs, self._embedding, *self._layers, self._dense = network.layers
        self._uses_kernels = use_kernels(
            layer for layer in self._layers if isinstance(layer, keras.layers.RNN)
        )
        if self._uses_kernels:
            self._prepare(batch_size)

    def __call__(self, ids: Tensor, state: Tensors, shard: int = 0) -> tuple[Tensor, Tensors]:
        """Ids `(B, T)` and the state before them → logits `(B, T, V)` and the state after them.

        Args:
            ids: the tokens, or with lags `(B, T, F)`, see `seqgen.corpus.lags`.
            state: of every recurrent layer its states `(B, units)`.
            shard: number of the shard; every shard of a step has its own dropout of outputs.
        """
        run = self._with_kernels if self._uses_kernels else self._with_keras
        return run(ids, list(state), shard)

    def _with_keras(self, ids: Tensor, state: Tensors, _: int) -> tuple[Tensor, Tensors]:
        training = self._masks is not None
        x, after = _summed(self._embedding(ids)), []
        for layer in self._layers:
            if isinstance(layer, keras.layers.RNN):
                layer_state = [state.pop(0) for _ in state_sizes(layer)]
                x, *layer_state = layer(x, initial_state=layer_state, training=training)
                after += layer_state
            else:
                x = layer(x, training=training)
        return self._dense(x), after

    def _prepare(self, batch_size: int) -> None:
        """Prepare the weights for `_with_kernels`.

        If the vocabulary is small, the first layer gets the ids of tokens, and the products of the
        embedding with its kernel: a wide embedding then costs no more than a narrow one.
        """
        embeddings = self._embedding.embeddings
        has_lags = len(self._inputs.output.shape) == 3
        self._takes_ids = embeddings.shape[0] <= LARGEST_TABLE and not has_lags
        self._embeddings = None if self._takes_ids else tf.cast(embeddings, self._precision)
        self._dense_kernel = tf.cast(self._dense.kernel, self._precision)
        table = embeddings if self._takes_ids else None  # for the first layer
        self._kernel_layers = {}
        for place, layer in enumerate(self._layers):
            if isinstance(layer, keras.layers.RNN):
                mask = self._masks.of_recurrent_kernel(layer, place) if self._masks else None
                self._kernel_layers[place] = kernels.Layer(
                    layer, batch_size, self._precision, recurrent_mask=mask, embedding=table
                )
                table = None

    def _with_kernels(self, ids: Tensor, state: Tensors, shard: int) -> tuple[Tensor, Tensors]:
        """As `_with_keras`, through `seqgen.network.kernels`, whose sequences are `(D, T, B)`."""
        if self._takes_ids:
            x = tf.cast(tf.transpose(ids), tf.int32)
        else:
            x = tf.transpose(_summed(tf.gather(self._embeddings, ids)), (2, 1, 0))
        after: Tensors = []
        for place, layer in enumerate(self._layers):
            if place in self._kernel_layers:
                before = [tf.transpose(state.pop(0)) for _ in state_sizes(layer)]
                x, layer_after = self._kernel_layers[place](x, before)
                after += map(tf.transpose, layer_after)
            elif self._masks is not None:
                x = self._masks.dropped(x, layer, place, shard)
        units, _, batch_size = x.shape
        logits = transposed_product(tf.reshape(x, (units, -1)), self._dense_kernel)
        logits = tf.cast(logits, tf.float32) + self._dense.bias
        logits = tf.reshape(logits, (-1, batch_size, logits.shape[1]))
        return tf.transpose(logits, (1, 0, 2)), after


def _summed(embedded: Tensor) -> Tensor:
    """`(B, T, E)` as it is; with lags `(B, T, F, E)`, the sum over F."""
    return tf.reduce_sum(embedded, axis=2) if len(embedded.shape) == 4 else embedded

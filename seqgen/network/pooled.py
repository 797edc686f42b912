"""The forward pass over whole sequences, of which each has one class.

Sequences are padded at their end. Every layer reads from the start of a sequence, also the backward
layer of a bidirectional one, for which sequences are reversed without their padding. So no step of
a sequence depends on padding, and no mask is needed inside the loops.
"""

from __future__ import annotations

from collections.abc import Callable

from seqgen.config import BUCKETS
from seqgen.corpus.ngrams import ngram_rows
from seqgen.network import kernels
from seqgen.network.backend import keras, tf
from seqgen.network.build import state_sizes
from seqgen.network.forward import LARGEST_TABLE, DropoutMasks, use_kernels
from seqgen.network.kernels.blas import transposed_product
from seqgen.types import Layer, Network, Tensor

DIRECTIONS = 2  # of a bidirectional layer


def input_shape(network: Network) -> tuple[int | None, ...]:
    """The shape of a batch: ids `(B, T)`, or numbers `(B, T, D)`; B and T are None."""
    shape: tuple[int | None, ...] = network.input_shape
    return shape


class PooledForward:
    """The forward pass, with the current weights of a network.

    Args:
        network: returned by `build` for a configuration with pooling.
        batch_size: number of sequences.
        masks: for dropout in training; None drops nothing.
        precision: of the factors of matrix products; everything else is float32.

    >>> from seqgen.config import ModelConfig
    >>> from seqgen.network.build import build
    >>> network = build(ModelConfig(units=4, pooling="mean", outputs=3), vocabulary_size=10)
    >>> forward = PooledForward(network, batch_size=2)
    >>> forward(tf.ones((2, 5), tf.int32), tf.constant([5, 3])).shape
    TensorShape([2, 3])
    """

    def __init__(
        self,
        network: Network,
        batch_size: int,
        *,
        masks: DropoutMasks | None = None,
        precision: str = "float32",
    ) -> None:
        self._batch_size = batch_size
        self._masks = masks
        self._precision = precision
        self._first, *self._layers, self._dense = [
            layer
            for layer in network.layers
            if not isinstance(layer, (keras.layers.InputLayer, keras.layers.Masking))
        ]
        *_, width = self._first.input.shape  # of ids with n-grams (B, T, width)
        self._ngrams = width if len(self._first.input.shape) > 2 and self._reads_ids else 1
        self._takes_mean = isinstance(self._layers[-1], keras.layers.GlobalAveragePooling1D)
        self._uses_kernels = use_kernels(
            part for layer in self._layers for part in directions(layer)
        )
        if self._uses_kernels:
            self._prepare()

    def __call__(self, inputs: Tensor, lengths: Tensor, shard: int = 0) -> Tensor:
        """Sequences → logits `(B, K)`.

        Args:
            inputs: ids `(B, T)` or numbers `(B, T, D)`, padded at the end.
            lengths: `(B,)`, at least 1.
            shard: number of the shard; every shard of a step has its own dropout.
        """
        run = self._with_kernels if self._uses_kernels else self._with_keras
        pooled = run(inputs, lengths, shard)  # (W, B), W: units, or twice as many
        kernel = tf.convert_to_tensor(self._dense.kernel)
        return transposed_product(pooled, kernel) + self._dense.bias

    def _with_keras(self, inputs: Tensor, lengths: Tensor, _: int) -> Tensor:
        mask = tf.sequence_mask(lengths, tf.shape(inputs)[1])
        x = self._embedded(inputs)
        for layer in self._layers:
            if directions(layer):
                x = layer(x, mask=mask, training=self._masks is not None)
            elif isinstance(layer, keras.layers.GlobalAveragePooling1D):
                x = layer(x, mask=mask)
            else:
                x = layer(x, training=self._masks is not None)
        return tf.transpose(x)

    @property
    def _reads_ids(self) -> bool:
        return isinstance(self._first, keras.layers.Embedding)

    def _embedded(self, inputs: Tensor) -> Tensor:
        """What the first recurrent layer reads, `(B, T, E)`."""
        if self._ngrams == 1:
            return self._first(inputs)
        size = self._first.input_dim - BUCKETS
        return tf.reduce_sum(self._first(ngram_rows(inputs, self._ngrams, size, keras.ops)), 2)

    def _prepare(self) -> None:
        """Prepare the weights for `_with_kernels`; see `seqgen.network.forward.Forward`."""
        self._kernel_layers = {}
        table = None  # for the first layers
        self._takes_ids = False
        if self._reads_ids:
            embeddings = self._first.embeddings
            self._takes_ids = embeddings.shape[0] <= LARGEST_TABLE
            table = embeddings if self._takes_ids else None
        for place, layer in enumerate(self._layers):
            for number, part in enumerate(directions(layer)):
                seed = DIRECTIONS * place + number
                mask = self._masks.of_recurrent_kernel(part, seed) if self._masks else None
                self._kernel_layers[place, number] = kernels.Layer(
                    part, self._batch_size, self._precision, recurrent_mask=mask, embedding=table
                )
            if directions(layer):
                table = None

    def _inputs(self, inputs: Tensor) -> Tensor:
        """What the first recurrent layer reads: ids `(T, B)`, or `(E, T, B)`."""
        if self._takes_ids:
            return tf.transpose(inputs)
        return tf.cast(tf.transpose(self._embedded(inputs), (2, 1, 0)), self._precision)

    def _with_kernels(self, inputs: Tensor, lengths: Tensor, shard: int) -> Tensor:
        """As `_with_keras`, through `seqgen.network.kernels`, whose sequences are `(D, T, B)`."""
        x = self._inputs(inputs)
        last = max(place for place, _ in self._kernel_layers)
        for place, layer in enumerate(self._layers):
            if directions(layer):
                forwards, *backwards = self._outputs(place, x, lengths)
                if place < last:
                    backwards = [reversed_sequences(each, lengths) for each in backwards]
                    x = tf.concat([forwards, *backwards], 0)
                else:  # a mean does not depend on the order of the steps
                    pool = mean_of_steps if self._takes_mean else last_step
                    x = tf.concat([pool(each, lengths) for each in (forwards, *backwards)], 0)
            elif isinstance(layer, keras.layers.Dropout) and self._masks is not None:
                x = self._masks.dropped(x, layer, DIRECTIONS * place, shard)
        return x

    def _outputs(self, place: int, x: Tensor, lengths: Tensor) -> list[Tensor]:
        """The outputs `(units, T, B)` of a layer in every direction, in the order of reading."""
        outputs = []
        for number, part in enumerate(directions(self._layers[place])):
            read = reversed_sequences(x, lengths) if number else x
            before = [tf.zeros((size, self._batch_size)) for size in state_sizes(part)]
            outputs.append(self._kernel_layers[place, number](read, before)[0])
        return outputs


def directions(layer: Layer) -> list[Layer]:
    """The recurrent layers of a place of a network: none, forwards, or also backwards."""
    if isinstance(layer, keras.layers.Bidirectional):
        return [layer.forward_layer, layer.backward_layer]
    return [layer] if isinstance(layer, keras.layers.RNN) else []


def reversed_sequences(x: Tensor, lengths: Tensor) -> Tensor:
    """Sequences `(…, T, B)` reversed, with their padding still at the end.

    >>> reversed_sequences(tf.constant([[1, 1], [2, 2], [3, 0]]), tf.constant([3, 2])).numpy()
    array([[3, 2],
           [2, 1],
           [1, 0]], dtype=int32)
    """
    axis = len(x.shape) - 2
    return tf.reverse_sequence(x, lengths, seq_axis=axis, batch_axis=axis + 1)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def last_step(x: Tensor, lengths: Tensor) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor, None]]]:
    """The last step of sequences `(D, T, B)` in float32: `(D, B)`.

    >>> last_step(tf.constant([[[1.0, 2.0], [3.0, 4.0]]]), tf.constant([2, 1])).numpy()
    array([[3., 2.]], dtype=float32)
    """
    width, _, batch_size = x.shape
    columns = (lengths - 1) * batch_size + tf.range(batch_size)
    last = tf.gather(tf.reshape(x, (width, -1)), columns, axis=1)

    def gradient(d: Tensor) -> tuple[Tensor, None]:
        is_last = tf.range(tf.shape(x)[1])[:, None] == lengths - 1  # (T, B)
        return tf.cast(d, x.dtype)[:, None] * tf.cast(is_last, x.dtype), None

    return tf.cast(last, tf.float32), gradient


def mean_of_steps(x: Tensor, lengths: Tensor) -> Tensor:
    """The mean over the steps of sequences `(D, T, B)` in float32, without padding: `(D, B)`.

    >>> mean_of_steps(tf.constant([[[1.0, 2.0], [3.0, 4.0]]]), tf.constant([2, 1])).numpy()
    array([[2., 2.]], dtype=float32)
    """
    is_step = tf.range(tf.shape(x)[1])[:, None] < lengths  # (T, B)
    weights = tf.cast(is_step, tf.float32) / tf.cast(lengths, tf.float32)
    return tf.reduce_sum(tf.cast(x, tf.float32) * weights, 1)

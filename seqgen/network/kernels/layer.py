"""A recurrent layer over windows: the loops, and the products outside of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from seqgen.cells.keras_cell import uses_default_activations
from seqgen.network.backend import keras, tf
from seqgen.network.kernels import c_loop, tf_loop
from seqgen.network.kernels.blas import transposed_product
from seqgen.network.kernels.cell import Cell
from seqgen.network.kernels.gru import GRUResetAfter, GRUResetBefore
from seqgen.network.kernels.lstm import LSTM
from seqgen.network.kernels.operations import gradient_of_weights, product_of_sequence
from seqgen.network.kernels.simple_rnn import SimpleRNN
from seqgen.types import Layer as KerasLayer
from seqgen.types import Tensor

# The gradients of the outputs and of the last state → those of all arguments.
Gradient = Callable[..., tuple[Tensor, ...]]


class Layer:
    """A recurrent layer with its current weights, for any number of windows.

    The weights are cast and packed once.

    Args:
        layer: a built Keras layer that `supports` accepts.
        batch_size: of every window.
        precision: of the factors of products.
        recurrent_mask: factor of the recurrent weights, `(units, gates)`.
        embedding: `(V, E)` of the tokens, if the inputs are their ids. The products of all tokens
            with the layer's kernel are taken once, instead of one for every token of a sequence.

    >>> layer = keras.layers.LSTM(4)
    >>> layer.build((None, None, 3))
    >>> outputs, state = Layer(layer, batch_size=2)(tf.zeros((3, 5, 2)), [tf.zeros((4, 2))] * 2)
    >>> outputs.shape, len(state)
    (TensorShape([4, 5, 2]), 2)
    """

    def __init__(
        self,
        layer: KerasLayer,
        batch_size: int,
        precision: str = "float32",
        *,
        recurrent_mask: Tensor | None = None,
        embedding: Tensor | None = None,
    ) -> None:
        kernel, recurrent_kernel = layer.cell.kernel, layer.cell.recurrent_kernel
        bias = layer.cell.bias if layer.use_bias else tf.zeros(kernel.shape[1])
        self._takes_ids = embedding is not None
        if self._takes_ids:
            kernel = transposed_product(tf.transpose(embedding), tf.convert_to_tensor(kernel))
        if recurrent_mask is not None:
            recurrent_kernel = recurrent_kernel * recurrent_mask
        self._weights = [tf.convert_to_tensor(each) for each in (kernel, recurrent_kernel, bias)]
        kernel, recurrent_kernel, bias = self._weights
        self._kernel = kernel if self._takes_ids else tf.cast(kernel, precision)
        cell = CELLS[type(layer)](layer)
        self._cell = cell(tf.cast(recurrent_kernel, precision), bias, batch_size)
        loops = c_loop if c_loop.supports(self._cell) else tf_loop
        self._loops = loops.Loops(self._cell, self._kernel)

    def __call__(self, inputs: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """The layer over a window.

        Args:
            inputs: `(D, T, B)`, in the precision of the products, as the outputs are; or ids
                `(T, B)` in int32.
            state: before the window, each `(units, B)` in float32.

        Returns:
            The outputs `(units, T, B)` and the state after the window.
        """

        @tf.custom_gradient
        def over_window(
            inputs: Tensor, *weights_and_state: Tensor
        ) -> tuple[tuple[Tensor, ...], Gradient]:
            state = weights_and_state[len(self._weights) :]
            outputs, last, residuals = self._loops.forward(inputs, state)

            def gradient(d_outputs: Tensor, *d_last: Tensor) -> tuple[Tensor, ...]:
                d, d_bias, d_state = self._loops.backward(residuals, d_outputs, d_last)
                d_input, d_recurrent = self._cell.parts(d)
                first = tf.cast(state[0], outputs.dtype)[:, None]
                before = tf.concat((first, outputs[:, :-1]), 1)
                return (
                    *self._input_gradients(inputs, d_input),
                    self._cell.gradient_of_recurrent_kernel(before, d_recurrent, residuals),
                    self._cell.gradient_of_bias(d_bias),
                    *d_state,
                )

            return (outputs, *last), gradient

        outputs, *after = over_window(inputs, *self._weights, *state)
        return outputs, after

    def _input_gradients(self, inputs: Tensor, d: Tensor) -> tuple[Tensor | None, Tensor]:
        """The gradients of the inputs and of the kernel, or table, from that of their products."""
        if self._takes_ids:
            return None, self._loops.gradient_of_table(inputs, d)
        return product_of_sequence(self._kernel, d), gradient_of_weights(inputs, d)


# Keras layer → its cell here. A layer that is missing is trained by Keras.
CELLS: dict[type, Callable[[KerasLayer], type[Cell]]] = {
    keras.layers.SimpleRNN: lambda layer: SimpleRNN,
    keras.layers.LSTM: lambda layer: LSTM,
    keras.layers.GRU: lambda layer: GRUResetAfter if layer.reset_after else GRUResetBefore,
}


def supports(layer: type, options: Mapping[str, object]) -> bool:
    """Whether `Layer` runs a Keras layer with these arguments: it needs the default activations,
    and no dropout or regularizer of activities inside.

    >>> supports(keras.layers.GRU, {}), supports(keras.layers.GRU, {"activation": "relu"})
    (True, False)
    """
    unsupported = ("dropout", "recurrent_dropout", "activity_regularizer")
    return (
        layer in CELLS
        and uses_default_activations(options)
        and not any(options.get(name) for name in unsupported)
    )

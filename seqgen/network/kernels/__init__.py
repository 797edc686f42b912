"""Recurrent layers with the weights and the results of Keras's, faster to train on a CPU.

The stock layers multiply input and state at every step and add up the gradient of the weights step
by step. Here the backward pass is written by hand: the gradient of the weights is one product after
the loop, and the forward loop stores residuals that the backward loop reads without a copy. The
input's product is taken before the loop, for all steps at once, and for tokens once for every token
of the vocabulary; only bfloat16 in C (`c_loop`) takes it inside, where it costs no memory.

Sequences are `(D, T, B)`: with the batch last, a weight matrix is the left factor of its products,
which needs no repacking at every step, and the gates are slices of rows, which need no copying.
Sequences and factors of products have the precision of the products; sums and states are float32.
"""

from seqgen.network.kernels.layer import Layer, supports

__all__ = ["Layer", "supports"]

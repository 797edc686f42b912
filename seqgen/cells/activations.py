"""The activations of Keras that work on each element alone, in NumPy, under Keras's names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from seqgen.types import Array

Activation = Callable[[Array], Array]  # the result has the float type of the argument
Derivative = Callable[[Array, Array], Array]  # from x and y = the activation of x, dy/dx

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)) computed with tanh, which never overflows and which NumPy vectorises.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    half: Array = np.tanh(x * 0.5)
    half *= 0.5
    half += 0.5
    return half


def softplus(x: Array) -> Array:
    """log(1 + exp(x))

    >>> float(softplus(np.array(1000.0)))
    1000.0
    """
    return np.logaddexp(x, 0).astype(x.dtype)


def elu(x: Array) -> Array:
    """x above 0, exp(x) - 1 below

    >>> elu(np.array([2.0, -1000.0]))
    array([ 2., -1.])
    """
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def hard_sigmoid(x: Array) -> Array:
    """x / 6 + 0.5, cut at 0 and 1

    >>> hard_sigmoid(np.array([-9.0, 0.0, 9.0]))
    array([0. , 0.5, 1. ])
    """
    return np.clip(x / 6 + 0.5, 0, 1)


ACTIVATIONS: dict[str | None, Activation] = {
    None: lambda x: x,
    "elu": elu,
    "exponential": np.exp,
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": lambda x: x * hard_sigmoid(x),
    "hard_swish": lambda x: x * hard_sigmoid(x),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "linear": lambda x: x,
    "log_sigmoid": lambda x: -softplus(-x),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": lambda x: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0))),
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "softplus": softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "swish": lambda x: x * sigmoid(x),
    "tanh": np.tanh,
}


def _d_silu(x: Array, y: Array) -> Array:
    gate = sigmoid(x)
    return np.asarray(gate + y * (1 - gate))


def _d_hard_silu(x: Array, y: Array) -> Array:
    return hard_sigmoid(x) + x / 6 * (abs(x) < 3)


def _d_mish(x: Array, y: Array) -> Array:
    factor = np.tanh(softplus(x))
    return np.asarray(factor + x * (1 - factor * factor) * sigmoid(x))


DERIVATIVES: dict[str | None, Derivative] = {
    None: lambda x, y: np.ones_like(x),
    "elu": lambda x, y: np.where(x > 0, 1, y + 1),
    "exponential": lambda x, y: y,
    "hard_sigmoid": lambda x, y: (abs(x) < 3) / np.array(6, x.dtype),
    "hard_silu": _d_hard_silu,
    "hard_swish": _d_hard_silu,
    "hard_tanh": lambda x, y: np.asarray(abs(x) < 1, x.dtype),
    "leaky_relu": lambda x, y: np.where(x > 0, 1, np.array(0.2, x.dtype)),
    "linear": lambda x, y: np.ones_like(x),
    "log_sigmoid": lambda x, y: sigmoid(-x),
    "mish": _d_mish,
    "relu": lambda x, y: np.asarray(x > 0, x.dtype),
    "relu6": lambda x, y: np.asarray((x > 0) & (x < 6), x.dtype),
    "selu": lambda x, y: np.where(x > 0, SELU_SCALE, y + SELU_SCALE * SELU_ALPHA).astype(x.dtype),
    "sigmoid": lambda x, y: y * (1 - y),
    "silu": _d_silu,
    "softplus": lambda x, y: sigmoid(x),
    "softsign": lambda x, y: 1 / np.square(1 + abs(x)),
    "swish": _d_silu,
    "tanh": lambda x, y: 1 - y * y,
}

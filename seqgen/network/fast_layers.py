"""Which networks run through `seqgen.network.kernels`; Keras runs the others."""

from __future__ import annotations

from seqgen.config import ModelConfig, TrainConfig
from seqgen.errors import ConfigError
from seqgen.network import kernels
from seqgen.network.backend import tf
from seqgen.network.build import keras_layer, require_known_options


def supports(config: ModelConfig) -> bool:
    """Whether the kernels run a network, in any precision; otherwise Keras does, in float32.

    Raises:
        ConfigError: the Keras layer has no such option.

    >>> supports(ModelConfig()), supports(ModelConfig(cell_options={"activation": "relu"}))
    (True, False)
    """
    require_known_options(config)
    # Do not create a layer: that would fix the number of threads.
    return kernels.supports(keras_layer(config.cell), config.cell_options) and not has_gpu()


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU: there Keras uses cuDNN, which is faster than the kernels."""
    return bool(tf.config.list_physical_devices("GPU"))


def require_support(model_config: ModelConfig, config: TrainConfig) -> None:
    """Raise `ConfigError` for options of training that only the kernels have, if Keras runs."""
    if supports(model_config):
        return
    for name, expected in (("precision", "float32"), ("recurrent_dropout", 0.0)):
        if getattr(config, name) != expected:
            raise ConfigError(
                f"{name}: expected {expected}, got {getattr(config, name)}: other values "
                "need a CPU, and layers with the default activations of Keras"
            )

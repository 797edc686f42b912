import pytest

from seqgen.cells.base import names as cell_names
from seqgen.config import ModelConfig, TrainConfig
from seqgen.errors import ConfigError
from seqgen.network.fast_layers import require_support, supports


def test_the_kernels_support_layers_with_the_default_activations() -> None:
    assert all(supports(ModelConfig(cell=cell)) for cell in cell_names())
    assert supports(ModelConfig(cell="gru", cell_options={"reset_after": False}))
    assert not supports(ModelConfig(cell_options={"recurrent_dropout": 0.1}))
    assert not supports(ModelConfig(cell_options={"activation": "cubic"}))


@pytest.mark.parametrize("option", [{"precision": "bfloat16"}, {"recurrent_dropout": 0.1}])
def test_options_that_need_the_kernels(option: dict[str, object]) -> None:
    config = TrainConfig(epochs=1, **option)
    require_support(ModelConfig(), config)
    with pytest.raises(ConfigError, match=f"{next(iter(option))}: expected .* need a CPU"):
        require_support(ModelConfig(cell_options={"activation": "relu"}), config)

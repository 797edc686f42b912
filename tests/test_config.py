import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.cells.base import names as cell_names
from seqgen.config import RESERVED_CELL_OPTIONS, ModelConfig, TrainConfig
from seqgen.errors import ConfigError
from seqgen.sampling.config import SampleConfig

whole = st.integers(1, 4096)
json_values = st.none() | st.booleans() | st.integers() | st.text()
model_configs = st.builds(
    ModelConfig,
    cell=st.sampled_from(cell_names()),
    units=whole,
    layers=st.integers(1, 100),
    embedding=whole,
    dropout=st.floats(0, 1, exclude_max=True),
    cell_options=st.dictionaries(
        st.text().filter(lambda name: name not in RESERVED_CELL_OPTIONS), json_values
    ),
)
positive = st.floats(0, 100, exclude_min=True)
train_configs = st.builds(
    TrainConfig,
    minutes=positive,
    batch_size=whole,
    window=whole,
    learning_rate=positive,
    clip_norm=positive,
    seed=st.integers(0, 2**32 - 1),
)
sample_configs = st.builds(SampleConfig, length=whole, temperature=st.floats(0, 100), seed=whole)


@given(model_configs | train_configs | sample_configs)
def test_json_round_trip(config: ModelConfig | TrainConfig | SampleConfig) -> None:
    assert type(config).from_json(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize(
    "wrong",
    [
        {"cell": "rnn"},
        {"units": 0},
        {"units": 2.5},
        {"layers": True},
        {"embedding": -1},
        {"dropout": 1.0},
        {"dropout": float("nan")},
        {"cell_options": {"units": 3}},
        {"cell_options": {"return_sequences": False}},
        {"cell_options": {"activation": abs}},
        {"cell_options": {"l2": float("inf")}},
        {"units": 2**31},
        {"layers": 101},
    ],
)
def test_invalid_model_options(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=rf"^{next(iter(wrong))}: expected .*"):
        ModelConfig(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": 0},
        {"minutes": -1},
        {"minutes": float("inf")},
        {"minutes": float("nan")},
        {"minutes": None, "epochs": 0},
        {"batch_size": 0},
        {"window": 0},
        {"learning_rate": 0},
        {"clip_norm": -1.0},
        {"minutes": 1e6},
        {"learning_rate": 1e400},
        {"batch_size": 2**31},
        {"weight_decay": -1},
        {"seed": -1},
        {"seed": 2**32},
    ],
)
def test_invalid_training_options(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=rf"^{list(wrong)[-1]}: expected .*, got "):
        TrainConfig(**{"minutes": 1, **wrong})


def test_either_minutes_or_epochs() -> None:
    for both in ({}, {"minutes": 1, "epochs": 1}):
        with pytest.raises(ConfigError, match="either minutes or epochs"):
            TrainConfig(**both)


@pytest.mark.parametrize("wrong", [{"temperature": -0.1}, {"temperature": "1"}, {"length": -1}])
def test_invalid_sampling_options(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=rf"^{next(iter(wrong))}: expected"):
        SampleConfig(**wrong)


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(ConfigError, match="no field unit"):
        ModelConfig.from_json({"unit": 3})


def test_options_are_copied() -> None:
    options = {"activation": "relu"}
    config = ModelConfig(cell_options=options)
    options["activation"] = "tanh"
    assert config.cell_options == {"activation": "relu"}

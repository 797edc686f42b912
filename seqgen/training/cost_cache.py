"""The cost models of this machine, in the cache folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from seqgen.config import ModelConfig, TrainConfig
from seqgen.training.cost_model import CostModel
from seqgen.training.precision_benchmark import machine
from seqgen.types import Json
from seqgen.utils import schema
from seqgen.utils.cache import cache_folder, read_entries, write_json

SECONDS = schema.number(1e-30, 1e10)
COSTS = schema.record({"a": SECONDS, "b": SECONDS})


def key(model_config: ModelConfig, config: TrainConfig) -> str:
    """What a cost model depends on; `config` has the batch size before it is chosen."""
    return (
        f"{machine()}, {model_config.cell}, {config.precision}, "
        f"batch size {config.batch_size}, "
        + (f"window {config.window}" if model_config.pooling == "none" else "whole sequences")
    )


def read(key: str) -> CostModel | None:
    """A cached model, or None if it is missing or damaged."""
    costs = _cache().get(key)
    return CostModel(**costs) if costs else None


def write(key: str, costs: CostModel) -> None:
    """Add a model, or replace it."""
    write_json(_path(), {**_cache(), key: asdict(costs)})


def correct(key: str, config: ModelConfig, vocabulary_size: int, tokens_per_second: float) -> None:
    """Scale a cached model to the speed that a run had in the end; ignored if there is none."""
    if costs := read(key):
        factor = 1 / tokens_per_second / costs.seconds_per_token(config, vocabulary_size)
        write(key, costs.scaled(factor))


def _path() -> Path:
    return cache_folder() / "costs.json"


def _cache() -> Json:
    return read_entries(_path(), COSTS)

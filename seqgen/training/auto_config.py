"""The options that nobody set: from the corpus's length, the time, and the machine's speed.

The figures for the rules are in `benchmarks/LOG.md`. Two of them: in a given time the widest
network learns most that still reads eight times as many tokens as it has weights; and the more
often many weights read few tokens, the more must be dropped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seqgen.cells import base as cells
from seqgen.config import ModelConfig
from seqgen.training.batches import fitting_size

WIDTHS = (64, 128, 256, 384, 512, 768, 1024)
TOKENS_PER_WEIGHT = 8  # seen, at least
WEIGHTS_PER_TOKEN = 5  # of the text, at most
LEAST_EMBEDDING, MOST_EMBEDDING = 64, 256
START_SECONDS = 8.0  # of a run, that no step is taken in
ASSUMED_SPEED = 40_000.0  # tokens per second, of LSTM 1 x 256, where it is not measured


@dataclass(frozen=True)
class Budget:
    """What the choice depends on."""

    training_tokens: int
    vocabulary_size: int
    minutes: float | None
    epochs: float | None
    speed: float = ASSUMED_SPEED  # tokens per second of LSTM 1 x 256 in a trial on this machine
    can_drop_recurrent: bool = True  # whether the layers are those of `seqgen.network.kernels`
    devices: int = 1  # machines or GPUs that share a batch
    precision: str = "float32"  # the fastest here that learns as well

    def tokens_seen(self, config: ModelConfig) -> float:
        """How many tokens such a network reads in the time."""
        if self.minutes is None:
            assert self.epochs is not None
            return self.epochs * self.training_tokens
        seconds = max(60 * self.minutes - START_SECONDS, 1.0)
        return seconds * self.devices * self.speed / self._cost(config)

    def _cost(self, config: ModelConfig) -> float:
        """The time for a token, with all that is dropped, over that of LSTM 1 x 256 in a trial."""
        gates = cells.get(config.cell).gates / cells.get("lstm").gates
        units = config.units / 256
        output = (0.17 + 0.46 * units) * self.vocabulary_size / 1000
        return config.layers * (0.6 + 0.73 * gates * units**2) + output


def weights(config: ModelConfig, vocabulary_size: int) -> int:
    """How many weights a network has, but for some biases.

    An embedding that is wider than there are tokens makes learning faster, not the network larger.

    >>> weights(ModelConfig(units=256, embedding=64), 65)
    349569
    """
    width = min(config.embedding, vocabulary_size)
    total = width * vocabulary_size
    for _ in range(config.layers):
        total += cells.get(config.cell).gates * config.units * (width + config.units + 1)
        width = config.units
    return total + (config.units + 1) * vocabulary_size


def choose_hyperparameters(budget: Budget, given: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The options, with those that are not given chosen.

    Args:
        budget: what the choice depends on.
        given: options that somebody set: they stay, and what depends on them follows them.

    Returns:
        The options, and one line that says what was chosen and why; empty if nothing was.

    >>> budget = Budget(training_tokens=1_000_000, vocabulary_size=65, minutes=2.75, epochs=None)
    >>> options, why = choose_hyperparameters(budget, {"dropout": 0.1})
    >>> options["layers"], options["dropout"]
    (1, 0.1)
    """
    names = ModelConfig.__dataclass_fields__.keys() & given.keys()
    network = {name: given[name] for name in names}
    if "units" not in given:
        network["units"] = _units(budget, network)
    if "embedding" not in given:
        network["embedding"] = _embedding(budget.vocabulary_size, network["units"])
    config = ModelConfig.from_json(network)
    seen = budget.tokens_seen(config)
    batch_size, window = fitting_size(budget.training_tokens)
    if config.units >= 512 and batch_size == 32:
        batch_size = 64
    batch_size = max(batch_size // budget.devices, 1) * budget.devices
    size = weights(config, budget.vocabulary_size)
    pressure = size / budget.training_tokens * seen / budget.training_tokens
    chosen = {
        "units": config.units,
        "layers": config.layers,
        "embedding": config.embedding,
        "batch_size": batch_size,
        "window": window,
        "learning_rate": _rounded(6e-3 * (256 / max(config.units, 256)) ** 0.5),
        "dropout": _share(0.25 + 0.055 * math.log2(pressure / 8), 0.5),
        "recurrent_dropout": _share(0.11 * math.log2(pressure / 12), 0.35),
        "weight_decay": 0.05 if seen > budget.training_tokens else 0.01,
        "precision": budget.precision,
    }
    if not budget.can_drop_recurrent:
        del chosen["recurrent_dropout"]
    chosen = {name: value for name, value in chosen.items() if name not in given}
    if not chosen:
        return dict(given), ""
    words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in chosen.items())
    why = (
        f"chosen: {words}; for about {_millions(seen)} tokens to be seen, "
        f"{seen / budget.training_tokens:.2g} times the text, by {config.cell} of "
        f"{_millions(size)} weights"
    )
    return {**given, **chosen}, why


def _units(budget: Budget, network: Mapping[str, Any]) -> int:
    """The widest network that the time is enough for, and that the text is."""
    best = WIDTHS[0]
    for units in WIDTHS:
        config = ModelConfig.from_json({**network, "units": units})
        size = weights(config, budget.vocabulary_size)
        enough_time = budget.tokens_seen(config) >= TOKENS_PER_WEIGHT * size
        if enough_time and size <= WEIGHTS_PER_TOKEN * budget.training_tokens:
            best = units
    return best


def _embedding(vocabulary_size: int, units: int) -> int:
    """As wide as the layer, up to a width where it gains no more; narrow where it would cost time
    (`seqgen.network.build`)."""
    width = min(max(units, LEAST_EMBEDDING), MOST_EMBEDDING)
    return width if vocabulary_size <= width else LEAST_EMBEDDING


def _share(number: float, most: float) -> float:
    """From nothing to `most`."""
    return round(min(max(number, 0.0), most), 2)


def _rounded(number: float) -> float:
    return float(f"{number:.2g}")


def _millions(number: float) -> str:
    """
    >>> _millions(1_240_000), _millions(9_000)
    ('1.2 million', '9,000')
    """
    return f"{number / 1e6:.2g} million" if number >= 1e6 else f"{number:,.0f}"

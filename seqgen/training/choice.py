"""Measures this machine where a run needs it, and chooses the options that the user did not set.

The costs of training are fitted to real steps of two or three networks on the data of the run, and
cached. In later runs, the steps of the chosen network check the cached costs: if they differ by
more than `TOLERANCE`, because the machine was or is busy, the costs are measured again. At the end
of a run, its speed corrects them.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import NamedTuple

from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.network import fast_layers
from seqgen.training import calibration, cost_cache, distributed, mixing, precision_benchmark
from seqgen.training.auto_config import WIDTHS, Budget, choose_hyperparameters
from seqgen.training.batches import fitting_sizes, require_enough
from seqgen.training.callbacks import Callback
from seqgen.training.cost_model import AVERAGE, CostModel
from seqgen.training.request import RunRequest
from seqgen.training.setup import RunSetup
from seqgen.types import Json

LONG_RUN_MINUTES = 1.0  # a run this long is worth some seconds of measuring
LONG_RUN_TOKENS = 3_000_000
TOLERANCE = 0.2  # relative error of cached costs above which they are measured again
COMPILE_SECONDS = 4.0  # from the choice to the end of the first step, if it is not measured


class Choice(NamedTuple):
    """The options of a run."""

    options: Json
    reason: str  # which were chosen, and why; empty if none were
    cost_key: str = ""  # of the costs that the speed of the run corrects, if any


def choose(corpus: Corpus, request: RunRequest, callback: Callback, started: float) -> Choice:
    """Choose the options that are not set explicitly.

    Args:
        corpus: what to train on.
        request: the run.
        callback: receives messages, such as which options were chosen.
        started: `time.monotonic()` when the run began.

    Raises:
        CorpusError: the corpus is smaller than one batch.
    """
    explicit, config = request.explicit_options, request.train_config
    batch_size, window = fitting_sizes(corpus)
    sizes = dataclasses.replace(config, batch_size=batch_size, window=window).override(explicit)
    require_enough(corpus, sizes.batch_size, sizes.window)
    has_kernels = fast_layers.supports(request.model_config)
    tokens = (config.epochs or 0) * corpus.training_length
    is_long = (config.minutes or 0) >= LONG_RUN_MINUTES or tokens >= LONG_RUN_TOKENS
    precision, costs = config.precision, AVERAGE
    if has_kernels:
        is_set = "precision" in explicit
        precision, costs = _measured(precision if is_set else None, is_long, callback)
    key = cost_cache.key(request.model_config, sizes.override({"precision": precision}))
    cached = cost_cache.read(key)
    budget = Budget(
        corpus.training_length,
        len(corpus.vocabulary),
        config.minutes and config.minutes - mixing.seconds_to_fit(corpus) / 60,
        config.epochs,
        cached or costs,
        time.monotonic() - started + COMPILE_SECONDS,
        has_kernels,
        distributed.strategy().num_replicas_in_sync,
        precision,
        (batch_size, window),
        corpus.training_pieces if corpus.targets is not None else 0,
    )
    chosen, reason = choose_hyperparameters(budget, explicit)
    if budget.devices > 1:
        key = ""
    elif reason and (config.minutes or 0) >= LONG_RUN_MINUTES:
        measuring = Measuring(budget, corpus, request, started)
        if not measuring.confirms(is_cached=cached is not None):
            cost_cache.write(key, measuring.budget.costs)
        chosen, reason = choose_hyperparameters(measuring.budget, explicit)
    if reason:
        callback.on_message(reason)
    return Choice(chosen, reason, key)


class Measuring:
    """Measures networks until the costs of the chosen one are known.

    Args:
        budget: what the choice depends on; its costs and its start follow the measurements.
        corpus: what to train on.
        request: the run.
        started: `time.monotonic()` when the run began.
    """

    def __init__(self, budget: Budget, corpus: Corpus, request: RunRequest, started: float) -> None:
        self.budget = budget
        self.corpus = corpus
        self.request = request
        self.started = started
        self.measured: dict[int, tuple[ModelConfig, float]] = {}  # by width

    def confirms(self, *, is_cached: bool) -> bool:
        """Measure the chosen network; if it contradicts the costs, fit them to two or three.

        The choice is the first of them, because TensorFlow's threads are divided for its batch.
        """
        explicit = self.request.explicit_options
        expected = self.budget.costs
        config = self._measure(explicit)
        ratio = self.measured[config.units][1] / expected.seconds_per_token(
            config, self.budget.vocabulary_size
        )
        if is_cached and 1 / (1 + TOLERANCE) <= ratio <= 1 + TOLERANCE:
            self.budget = dataclasses.replace(self.budget, costs=expected)
            return True
        if "units" not in explicit:
            self._measure({**explicit, "units": _neighbour(config.units)})
            options, _ = choose_hyperparameters(self.budget, explicit)
            if options["units"] not in self.measured:
                self._measure(explicit)
        return False

    def _measure(self, explicit: Mapping[str, object]) -> ModelConfig:
        """Measure the network chosen for some options, and fit the costs to all measured ones."""
        request = self.request
        options, _ = choose_hyperparameters(self.budget, explicit)
        config = request.model_config.override(options)
        timing = calibration.time_steps(
            RunSetup(self.corpus, config, request.train_config.override(options))
        )
        self.measured[config.units] = config, timing.per_token
        measured = list(self.measured.values())
        self.budget = dataclasses.replace(
            self.budget,
            costs=self.budget.costs.fit(measured, self.budget.vocabulary_size),
            start=time.monotonic() - self.started + timing.start,
        )
        return config


def _neighbour(units: int) -> int:
    """The next wider network, or for the widest one the next narrower one.

    >>> _neighbour(64), _neighbour(1024)
    (128, 768)
    """
    return next((width for width in WIDTHS if width > units), WIDTHS[-2])


def _measured(precision: str | None, is_long: bool, callback: Callback) -> tuple[str, CostModel]:
    """The precision, the fastest one if it is not set, and costs by the speed of the benchmark.

    Args:
        precision: what the user set, if anything.
        is_long: whether the run is long enough to wait for a measurement.
        callback: receives messages.
    """
    is_known = precision_benchmark.is_known()
    if is_long and not is_known:
        callback.on_message("measuring the speed of this machine in each precision, once")
    results = precision_benchmark.results() if is_long or is_known else {}
    if results:
        precision = precision or precision_benchmark.best(results)
        speed = results.get(precision, results["float32"]).tokens_per_second
        measured = [(precision_benchmark.MODEL, 1 / speed)]
        return precision, AVERAGE.fit(measured, precision_benchmark.VOCABULARY_SIZE)
    precision = precision or TrainConfig.precision
    if is_long:
        callback.on_message(
            f"the measurement failed; using {precision} and the speed of an average machine"
        )
    return precision, AVERAGE

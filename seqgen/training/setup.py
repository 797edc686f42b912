"""Resolves a request: every option, the vocabulary and the initial weights of a training run."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.errors import CheckpointError, ConfigError
from seqgen.model_file import ModelData
from seqgen.training import (
    auto_config,
    checkpoint,
    checkpoint_schema,
    cluster,
    fine_tuning,
    rendezvous,
)
from seqgen.training.batches import fitting_size, require_enough
from seqgen.training.callbacks import Callback
from seqgen.training.checkpoint import Checkpoint
from seqgen.training.request import RunInputs, RunRequest
from seqgen.types import Floats, Json
from seqgen.vocabulary import Vocabulary

LONG_RUN_MINUTES = 1.0
LONG_RUN_TOKENS = 3_000_000  # a run this long is worth some seconds of measuring precisions
TOLERANCE = 0.2  # relative error of a predicted speed above which the choice is corrected
MAX_CORRECTIONS = 3
MAX_CHOSEN_BATCH_SIZE = 64  # of `auto_config`


@dataclass(frozen=True, eq=False)
class RunSetup:
    """A training run with every option resolved; `seqgen.training.loop.train` runs it."""

    corpus: Corpus
    model_config: ModelConfig
    train_config: TrainConfig
    weights: list[Floats] | None = None  # initial weights in Keras's order; random if None
    base: str = ""  # fingerprint of the model that the run started from, if any
    chosen: str = ""  # which options were chosen automatically, and why
    checkpoint_path: Path | None = None  # where checkpoints are written
    resumed: Checkpoint | None = None  # the checkpoint to continue from
    started: float | None = None  # `clock()` at the start of the run; None: when steps begin
    clock: Callable[[], float] = time.monotonic  # returns seconds; tests pass a clock of theirs

    def model_data(self) -> ModelData:
        """The model that the run will produce, without its weights and scores."""
        corpus = self.corpus
        return ModelData(
            corpus.task,
            self.model_config,
            self.train_config,
            corpus.vocabulary,
            corpus.metadata(),
            weights=[],
            chosen=self.chosen,
        )


def resolve(inputs: RunInputs, callback: Callback, started: float | None = None) -> RunSetup:
    """Resolve every option of a run.

    Options that the user did not set are those of the checkpoint or of the base model; for a new
    model they are chosen from the size of the corpus, the run's length and the machine's speed.

    Args:
        inputs: the request, and what it names.
        callback: receives messages, such as which options were chosen.
        started: `time.monotonic()` when the run began. Waiting for other machines does not count.

    Raises:
        ConfigError: an option is out of its range, or differs from that of the base model.
        CorpusError: the corpus is smaller than one batch.
        CheckpointError: there is nothing to resume, or it belongs to another run.
    """
    if cluster.machine_count() > 1:
        _join_cluster(inputs, callback)
        started = time.monotonic()
    run_setup = _resumed(inputs) if inputs.request.resume else _new(inputs, callback)
    return dataclasses.replace(run_setup, started=started)


def _new(inputs: RunInputs, callback: Callback) -> RunSetup:
    from seqgen.training import distributed

    corpus, request = inputs.corpus, inputs.request
    weights, fingerprint, reason = None, "", ""
    if inputs.base:
        base = inputs.base.data
        fine_tuning.require_same_encoding(base, corpus)
        options = fine_tuning.options(base, request.explicit_options)
        request = dataclasses.replace(request, explicit_options=options)
        vocabulary = fine_tuning.extended_vocabulary(base.vocabulary, corpus.vocabulary)
        weights = fine_tuning.extended_weights(base, vocabulary)
        fingerprint = fine_tuning.fingerprint(base)
        corpus = dataclasses.replace(corpus, vocabulary=vocabulary)
    chosen: Json = {}
    if cluster.is_chief():
        chosen, reason = _choose(corpus, request, callback)
    chosen, reason = distributed.broadcast_from_chief((chosen, reason))
    return RunSetup(
        corpus,
        request.model_config.override(chosen),
        request.train_config.override(chosen),
        weights=weights,
        base=fingerprint,
        chosen=reason,
        checkpoint_path=inputs.checkpoint_path,
    )


def _resumed(inputs: RunInputs) -> RunSetup:
    from seqgen.training import distributed

    corpus, path = inputs.corpus, inputs.checkpoint_path
    if path is None:
        raise ConfigError("resume: expected a checkpoint_path to resume from, got none")
    # The other machines do not have the file.
    data = distributed.broadcast_from_chief(checkpoint.read(path) if cluster.is_chief() else b"")
    resumed = checkpoint.parse(data, path)
    with checkpoint.translate_errors(path):
        facts = resumed.facts
        model_config = ModelConfig.from_json(facts["model_config"])
        train_config = TrainConfig.from_json(facts["train_config"])
        checkpoint_schema.require_valid(facts)
        vocabulary = Vocabulary.from_json(facts["corpus"]["vocabulary"])
        checkpoint_schema.require_weights(resumed.arrays, model_config, len(vocabulary))
        options = {**facts["model_config"], **facts["train_config"]}
        checkpoint.require_same(
            path, {"options": options}, {"options": inputs.request.explicit_options}
        )
        fingerprint, chosen = facts["place"]["base"], facts["place"]["chosen"]
    if inputs.base and fingerprint != fine_tuning.fingerprint(inputs.base.data):
        raise CheckpointError(
            f"{path} belongs to a run that started from {'another' if fingerprint else 'no'} "
            "model; leave out --from, or name the model that the run started from"
        )
    # A run that started from a model has the tokens of that model after those of the corpus.
    if vocabulary.tokens[: len(corpus.vocabulary)] == corpus.vocabulary.tokens:
        corpus = dataclasses.replace(corpus, vocabulary=vocabulary)
    return RunSetup(
        corpus,
        model_config,
        train_config,
        base=fingerprint,
        chosen=chosen,
        checkpoint_path=path,
        resumed=resumed,
    )


def _join_cluster(inputs: RunInputs, callback: Callback) -> None:
    """Wait for the other machines that TF_CONFIG names.

    Raises:
        ConfigError: this machine has another corpus or other options than the chief.
        WorkerError: a machine does not answer for ten minutes.
    """
    from seqgen.network import sharding
    from seqgen.training import distributed

    request = inputs.request
    rank, size = cluster.rank_and_size()
    minutes = rendezvous.SECONDS_TO_WAIT / 60
    callback.on_message(
        f"machine {rank + 1} of {size}: waiting for the others, at most {minutes:g} minutes"
    )
    is_set = "batch_size" in request.explicit_options
    batch_size = request.train_config.batch_size if is_set else MAX_CHOSEN_BATCH_SIZE
    sharding.divide_threads(batch_size // size)
    here = {
        "corpus": {**inputs.corpus.metadata(), "arguments": None},  # its path may differ
        "options": {**request.explicit_options, "resume": request.resume},
        "from": None if inputs.base is None else fine_tuning.fingerprint(inputs.base.data),
    }
    if distributed.broadcast_from_chief(here) != json.loads(json.dumps(here)):
        raise ConfigError(
            "this machine has another corpus or other options than the first one; "
            "give every machine the same files and the same command"
        )


def _choose(corpus: Corpus, request: RunRequest, callback: Callback) -> tuple[Json, str]:
    """Choose the options that are not set explicitly.

    Returns:
        The chosen options, and a line that says which they are and why.
    """
    from seqgen.network import fast_layers
    from seqgen.training import distributed

    explicit, config = request.explicit_options, request.train_config
    batch_size, window = fitting_size(corpus.training_length)
    sizes = dataclasses.replace(config, batch_size=batch_size, window=window).override(explicit)
    require_enough(corpus, sizes.batch_size, sizes.window)
    has_kernels = fast_layers.supports(request.model_config)
    precision, speed = config.precision, auto_config.ASSUMED_SPEED
    if has_kernels:
        tokens = (config.epochs or 0) * corpus.training_length
        is_long = (config.minutes or 0) >= LONG_RUN_MINUTES or tokens >= LONG_RUN_TOKENS
        precision, speed = _measured(
            config.precision if "precision" in explicit else None, is_long, callback
        )
    budget = auto_config.Budget(
        corpus.training_length,
        len(corpus.vocabulary),
        config.minutes,
        config.epochs,
        speed,
        has_kernels,
        distributed.strategy().num_replicas_in_sync,
        precision,
    )
    chosen, reason = auto_config.choose_hyperparameters(budget, explicit)
    if reason and (config.minutes or 0) >= LONG_RUN_MINUTES and has_kernels and budget.devices == 1:
        chosen, reason = _corrected(budget, chosen, reason, corpus, request)
    if reason:
        callback.on_message(reason)
    return chosen, reason


def _corrected(
    budget: auto_config.Budget, chosen: Json, reason: str, corpus: Corpus, request: RunRequest
) -> tuple[Json, str]:
    """Choose again if real steps of the chosen network are faster or slower than predicted.

    A cached speed may be that of a busy machine, or this one may be busy now.
    """
    from seqgen.training import calibration, precision_benchmark

    for _ in range(MAX_CORRECTIONS):
        run_setup = RunSetup(
            corpus,
            request.model_config.override(chosen),
            request.train_config.override(chosen),
        )
        speed = calibration.tokens_per_second(run_setup)
        ratio = speed / budget.tokens_per_second(run_setup.model_config)
        if 1 / (1 + TOLERANCE) <= ratio <= 1 + TOLERANCE:
            break
        budget = dataclasses.replace(budget, speed=ratio * budget.speed)
        precision_benchmark.correct(run_setup.train_config.precision, budget.speed)
        chosen, reason = auto_config.choose_hyperparameters(budget, request.explicit_options)
    return chosen, reason


def _measured(precision: str | None, is_long: bool, callback: Callback) -> tuple[str, float]:
    """The precision, the fastest one if it is not set, and its speed on this machine.

    Args:
        precision: what the user set, if anything.
        is_long: whether the run is long enough to wait for a measurement.
        callback: receives messages.

    Returns:
        The precision, and tokens per second of the network of the benchmark.
    """
    from seqgen.training import precision_benchmark

    is_known = precision_benchmark.is_known()
    if is_long and not is_known:
        callback.on_message("measuring the speed of this machine in each precision, once")
    results = precision_benchmark.results() if is_long or is_known else {}
    if results:
        precision = precision or precision_benchmark.best(results)
        return precision, results.get(precision, results["float32"]).tokens_per_second
    precision = precision or TrainConfig.precision
    if is_long:
        callback.on_message(
            f"the measurement failed; using {precision} and the speed of an average machine"
        )
    return precision, auto_config.ASSUMED_SPEED

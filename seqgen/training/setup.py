"""What a run of training begins with: a corpus, options that are complete, and weights, if any."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqgen.config import SIZES, ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.errors import CheckpointError, ConfigError
from seqgen.model_file import ModelData
from seqgen.training import auto_config, checkpoint, cluster, fine_tuning
from seqgen.training.batches import fitting_size, require_enough
from seqgen.training.callbacks import Callback
from seqgen.training.checkpoint import Arrays
from seqgen.types import Floats

DEFAULT_MINUTES = 5.0
LONG_RUN = 3_000_000  # tokens: enough to spend some seconds on trying precisions


@dataclass(frozen=True)
class RunSetup:
    """All that `seqgen.training.loop.train` needs to begin."""

    corpus: Corpus
    model_config: ModelConfig
    train_config: TrainConfig
    weights: list[Floats] | None = None
    checkpoint: tuple[dict[str, Any], Arrays] | None = None
    base: str = ""  # tells which model the weights are of
    chosen: str = ""  # what was chosen for the run, and why

    def model_data(self) -> ModelData:
        """What will be the model, but for what it learns."""
        corpus = self.corpus
        return ModelData(
            corpus.task,
            self.model_config,
            self.train_config,
            corpus.vocabulary,
            corpus.metadata(),
            [],
        )


def new(
    corpus: Corpus, given: dict[str, Any], base: ModelData | None, callback: Callback
) -> RunSetup:
    """A new run.

    Args:
        corpus: what it learns.
        given: the options that somebody set; the others are chosen.
        base: the model_data of a model to begin with, if any.
        callback: is told what was chosen, and why.

    Raises:
        ConfigError: an option is unknown or out of its range, or not that of the base.
        CorpusError: the corpus is smaller than one batch.
    """
    from seqgen.training import distributed

    weights, name, chosen = None, "", ""
    if base is not None:
        fine_tuning.require_same_kind(base, corpus)
        given = fine_tuning.options(base, given)
        vocabulary = fine_tuning.grown_vocabulary(base.vocabulary, corpus.vocabulary)
        weights = fine_tuning.grown_weights(base, vocabulary)
        name = fine_tuning.fingerprint(base)
        corpus = dataclasses.replace(corpus, vocabulary=vocabulary)
    if cluster.is_chief():
        given, chosen = _complete(corpus, given, callback)
    given, chosen = distributed.broadcast_from_chief((given, chosen))
    return RunSetup(corpus, *configs(**given), weights=weights, base=name, chosen=chosen)


def resumed(
    corpus: Corpus, given: dict[str, Any], base: ModelData | None, path: Path | None
) -> RunSetup:
    """A run that goes on.

    Args:
        corpus: that of the run.
        given: options; those not given are the run's.
        base: the model_data of the model that the run began with, if it is named.
        path: of the checkpoint; only the first of several machines has it.

    Raises:
        ConfigError: no path.
        CheckpointError: there is nothing to resume, or it belongs to another run.
    """
    from seqgen.training import distributed

    if path is None:
        raise ConfigError("resume: expected a checkpoint_path to go on from, got none")
    data = distributed.broadcast_from_chief(checkpoint.read(path) if cluster.is_chief() else b"")
    saved = checkpoint.parsed(data, path)
    model_config, train_config, vocabulary, begun_with = checkpoint.beginning(path, saved[0], given)
    if base is not None and begun_with != fine_tuning.fingerprint(base):
        raise CheckpointError(
            f"{path} is of a run that began with {'another' if begun_with else 'a new'} model; "
            "leave --from away, or name the one that it began with"
        )
    if vocabulary.tokens[: len(corpus.vocabulary)] == corpus.vocabulary.tokens:
        corpus = dataclasses.replace(corpus, vocabulary=vocabulary)
    return RunSetup(corpus, model_config, train_config, checkpoint=saved, base=begun_with)


def meet_other_machines(
    corpus: Corpus, given: dict[str, Any], base: ModelData | None, resume: bool, callback: Callback
) -> None:
    """Wait for the other machines that TF_CONFIG names, and see that all do the same."""
    from seqgen.network import sharding
    from seqgen.training import distributed

    number, count = cluster.rank_and_size()
    callback.on_message(f"machine {number + 1} of {count}: waiting for the others")
    sharding.divide_threads(given.get("batch_size", 64) // count)
    here = {
        "corpus": {**corpus.metadata(), "arguments": None},  # it may be named otherwise
        "options": {**given, "resume": resume},
        "from": None if base is None else fine_tuning.fingerprint(base),
    }
    if distributed.broadcast_from_chief(here) != json.loads(json.dumps(here)):
        raise ConfigError(
            "this machine has another corpus or other options than the first one; "
            "give every machine the same files and the same command"
        )


def _complete(
    corpus: Corpus, given: dict[str, Any], callback: Callback
) -> tuple[dict[str, Any], str]:
    """The options with those chosen that nobody gave, and what there is to say of them."""
    from seqgen.network import build as network
    from seqgen.training import distributed, precision_benchmark

    model_config, train_config = configs(**given)  # whatever is wrong is said before
    batch_size, window = fitting_size(corpus.training_length)
    require_enough(corpus, given.get("batch_size", batch_size), given.get("window", window))
    speed = auto_config.ASSUMED_SPEED
    precision = train_config.precision
    is_fast = network.is_fast(model_config)
    if is_fast:
        minutes = train_config.minutes or 0
        epochs = train_config.epochs or 0
        is_long = minutes >= 1 or epochs * corpus.training_length >= LONG_RUN
        if is_long and not precision_benchmark.is_known():
            callback.on_message("trying how fast this machine is in each precision, once")
        trials = precision_benchmark.results() if is_long or precision_benchmark.is_known() else {}
        if trials:
            precision = given.get("precision") or precision_benchmark.best(trials)
            speed = trials.get(precision, trials["float32"]).tokens_per_second
        elif is_long:
            callback.on_message(f"trying failed; taken are {precision} and a usual speed")
    budget = auto_config.Budget(
        corpus.training_length,
        len(corpus.vocabulary),
        train_config.minutes,
        train_config.epochs,
        speed,
        is_fast,
        distributed.strategy().num_replicas_in_sync,
        precision,
    )
    options, chosen = auto_config.choose_hyperparameters(budget, given)
    if chosen:
        callback.on_message(chosen)
    return options, chosen


def configs(**options: Any) -> tuple[ModelConfig, TrainConfig]:
    """The configurations that the options of `train` stand for.

    Raises:
        ConfigError: an option is unknown or out of its range.

    >>> configs(units=64)[1].minutes
    5.0
    """
    options = normalise_options(options)
    if options.get("minutes") is None and options.get("epochs") is None:
        options["minutes"] = DEFAULT_MINUTES
    names = ModelConfig.__dataclass_fields__.keys() & options.keys()
    model_config = ModelConfig.from_json({name: options.pop(name) for name in names})
    return model_config, TrainConfig.from_json(options)


def normalise_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options that say something: neither None nor `auto`, and a size as its units."""
    size = options.get("size") or "auto"
    if size not in SIZES:
        raise ConfigError(f"size: expected one of {', '.join(SIZES)}, got {size!r}")
    options = {"units": SIZES[size], **options}
    return {
        name: value
        for name, value in options.items()
        if name != "size" and value is not None and (name, value) != ("precision", "auto")
    }

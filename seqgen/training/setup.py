"""Resolves a request: every option, the vocabulary and the initial weights of a training run."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.errors import CheckpointError, ConfigError
from seqgen.model_file import ModelData
from seqgen.network import sharding
from seqgen.training import (
    checkpoint,
    checkpoint_schema,
    cluster,
    distributed,
    fine_tuning,
    mixing,
    rendezvous,
)
from seqgen.training.auto_config import MAX_BATCH_SIZE
from seqgen.training.callbacks import Callback
from seqgen.training.checkpoint import Checkpoint
from seqgen.training.regularisation import Regularisation
from seqgen.training.request import RunInputs, RunRequest
from seqgen.types import Floats, Json
from seqgen.vocabulary import Vocabulary

if TYPE_CHECKING:
    from seqgen.training.choice import Choice


@dataclass(frozen=True, eq=False)
class RunSetup:
    """A training run with every option resolved; `seqgen.training.loop.train` runs it."""

    corpus: Corpus
    model_config: ModelConfig
    train_config: TrainConfig
    weights: list[Floats] | None = None  # initial weights in Keras's order; random if None
    base: str = ""  # fingerprint of the model that the run started from, if any
    chosen: str = ""  # which options were chosen automatically, and why
    fixed: frozenset[str] = frozenset(Regularisation._fields)  # options that must not be corrected
    cost_key: str = ""  # of the cached costs that the speed of the run corrects, if any
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
    started = time.monotonic() if started is None else started
    if cluster.machine_count() > 1:
        _join_cluster(inputs, callback)
        started = time.monotonic()
    run_setup = _resumed(inputs) if inputs.request.resume else _new(inputs, callback, started)
    return dataclasses.replace(run_setup, started=started)


def _new(inputs: RunInputs, callback: Callback, started: float) -> RunSetup:
    from seqgen.training.choice import Choice, choose  # which imports `RunSetup`

    corpus, request = inputs.corpus, inputs.request
    config = inputs.base.data.model_config if inputs.base else None
    request = dataclasses.replace(
        request, explicit_options=network_options(corpus, request.explicit_options, config)
    )
    weights, fingerprint = None, ""
    if inputs.base:
        base = inputs.base.data
        fine_tuning.require_same_encoding(base, corpus)
        options = fine_tuning.options(base, request.explicit_options)
        request = dataclasses.replace(request, explicit_options=options)
        vocabulary = fine_tuning.extended_vocabulary(base.vocabulary, corpus.vocabulary)
        weights = fine_tuning.extended_weights(base, vocabulary)
        fingerprint = fine_tuning.fingerprint(base)
        corpus = dataclasses.replace(corpus, vocabulary=vocabulary)
    reserved = request.train_config.reserved
    if request.mix and not reserved:
        reserved = mixing.reserved_share(corpus, request.train_config.minutes)
    corpus = dataclasses.replace(corpus, reserved=reserved)
    choice = Choice({}, "")
    if cluster.is_chief():
        choice = choose(corpus, request, callback, started)
    choice = Choice(*distributed.broadcast_from_chief(tuple(choice)))
    return RunSetup(
        corpus,
        request.model_config.override(choice.options),
        request.train_config.override({**choice.options, "reserved": reserved}),
        weights=weights,
        base=fingerprint,
        chosen=choice.reason,
        cost_key=choice.cost_key,
        fixed=_fixed(corpus, request, choice),
        checkpoint_path=inputs.checkpoint_path,
    )


def _fixed(corpus: Corpus, request: RunRequest, choice: Choice) -> frozenset[str]:
    """The options that must not follow the number of tokens seen."""
    is_chosen = bool(choice.reason) and corpus.targets is None
    return frozenset(request.explicit_options) if is_chosen else RunSetup.fixed


def network_options(
    corpus: Corpus, explicit_options: Mapping[str, object], base: ModelConfig | None = None
) -> Json:
    """The explicit options, and those of the network that the corpus determines.

    Args:
        corpus: what to train on.
        explicit_options: what the user set.
        base: of a model to train further, whose choices are kept; None for a new model.

    Raises:
        ConfigError: an option needs a corpus whose pieces have classes.
    """
    for name in ("pooling", "bidirectional", "ngrams"):
        if corpus.targets is None and explicit_options.get(name):
            raise ConfigError(
                f"{name}: expected a corpus of sequences with labels, got one of {corpus.task}; "
                f"leave out --{name}"
            )
    choices = ("pooling", "ngrams")  # of which the corpus only has defaults
    kept = {name: getattr(base, name) for name in choices if base and name in corpus.network}
    return {**corpus.network, **kept, **explicit_options}


def _resumed(inputs: RunInputs) -> RunSetup:
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
        # With the fields that were added since an earlier version wrote the checkpoint.
        facts["model_config"] = model_config.to_json()
        facts["train_config"] = train_config.to_json()
        checkpoint_schema.require_valid(facts)
        vocabulary = Vocabulary.from_json(facts["corpus"]["vocabulary"])
        checkpoint_schema.require_weights(resumed.arrays, model_config, len(vocabulary))
        options = {**facts["model_config"], **facts["train_config"]}
        checkpoint.require_same(
            path, {"options": options}, {"options": inputs.request.explicit_options}
        )
        fingerprint, chosen = facts["place"]["base"], facts["place"]["chosen"]
        fixed = frozenset(facts["place"].get("fixed", RunSetup.fixed))
    if inputs.base and fingerprint != fine_tuning.fingerprint(inputs.base.data):
        raise CheckpointError(
            f"{path} belongs to a run that started from {'another' if fingerprint else 'no'} "
            "model; leave out --from, or name the model that the run started from"
        )
    corpus = dataclasses.replace(corpus, reserved=train_config.reserved)
    # A run that started from a model has the tokens of that model after those of the corpus.
    if vocabulary.tokens[: len(corpus.vocabulary)] == corpus.vocabulary.tokens:
        corpus = dataclasses.replace(corpus, vocabulary=vocabulary)
    return RunSetup(
        corpus,
        model_config,
        train_config,
        base=fingerprint,
        chosen=chosen,
        fixed=fixed,
        checkpoint_path=path,
        resumed=resumed,
    )


def _join_cluster(inputs: RunInputs, callback: Callback) -> None:
    """Wait for the other machines that TF_CONFIG names.

    Raises:
        ConfigError: this machine has another corpus or other options than the chief.
        WorkerError: a machine does not answer for ten minutes.
    """
    request = inputs.request
    rank, size = cluster.rank_and_size()
    minutes = rendezvous.SECONDS_TO_WAIT / 60
    callback.on_message(
        f"machine {rank + 1} of {size}: waiting for the others, at most {minutes:g} minutes"
    )
    is_set = "batch_size" in request.explicit_options
    batch_size = request.train_config.batch_size if is_set else MAX_BATCH_SIZE
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

"""Corpus + options → a trained model."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqgen.corpus.corpus import Corpus
from seqgen.model import Model
from seqgen.model_file import ModelData
from seqgen.training import cluster
from seqgen.training.callbacks import Callback
from seqgen.types import Floats

if TYPE_CHECKING:
    from seqgen.copying.index import CopyIndex
    from seqgen.training.setup import RunSetup


def train(
    corpus: Corpus,
    *,
    minutes: float | None = None,
    epochs: float | None = None,
    callback: Callback | None = None,
    base: Model | None = None,
    checkpoint_path: str | Path | None = None,
    resume: bool = False,
    index: bool = True,
    **options: Any,
) -> Model:
    """Train a model.

    Args:
        corpus: what `load_corpus` gives.
        minutes: wall-clock time of the run; 5 unless `epochs` is given.
        epochs: passes over the training part, instead.
        callback: told of every step and validation.
        base: a model to begin with, instead of a new one; it learns new characters too. A run
            that is resumed has begun with it already.
        checkpoint_path: where a checkpoint is kept while the run goes on.
        resume: go on from that checkpoint; options not given are those of the interrupted run.
        index: keep in the model what tells copies of the corpus, a byte for each token.
        options: `size` (auto, small, medium, large), and the other fields of `ModelConfig` and
            `TrainConfig`; those not given are chosen by `seqgen.training.auto_config`, from the
            corpus, the time, and the machine's speed.

    Raises:
        ConfigError: an option is unknown or out of its range, or not that of the base.
        CorpusError: the corpus is smaller than one batch.
        CheckpointError: there is nothing to resume, or it belongs to another run.
        TrainingError: the loss explodes.
        WorkerError: on several machines, another one is gone.

    >>> from seqgen.tasks.load import load_corpus
    >>> model = train(load_corpus("python-docs"), epochs=0.001, units=8, batch_size=2)
    >>> len(model.generate(length=20))
    20
    """
    started = time.monotonic()  # importing TensorFlow counts
    from seqgen.training import loop, setup

    callback = callback or Callback()
    path = None if checkpoint_path is None else Path(checkpoint_path)
    given = setup.normalise_options({"minutes": minutes, "epochs": epochs, **options})
    base_data = base.data if base else None
    if cluster.machine_count() > 1:
        setup.meet_other_machines(corpus, given, base_data, resume, callback)
        started = time.monotonic()  # waiting for them does not
    if resume:
        run_setup = setup.resumed(corpus, given, base_data, path)
    else:
        run_setup = setup.new(corpus, given, base_data, callback)
    model_data = run_setup.model_data()
    if index:
        model_data = dataclasses.replace(
            model_data, indexes=_indexes(run_setup, base_data, callback)
        )
    result = loop.train(
        run_setup.corpus,
        run_setup.model_config,
        run_setup.train_config,
        callback,
        started=started,
        initial_weights=run_setup.weights,
        checkpoint_path=path,
        resume=run_setup.checkpoint,
        base=run_setup.base,
        chosen=run_setup.chosen,
        write_sample=lambda weights: _sample(model_data, weights),
    )
    return Model(dataclasses.replace(model_data, **vars(result)))


def _indexes(run_setup: RunSetup, base: ModelData | None, callback: Callback) -> list[CopyIndex]:
    """Of all that the model learns from; none at all where that of the base is missing, for then
    what is copied from there would pass for new."""
    from seqgen.copying.codes import index_of
    from seqgen.tasks import base as tasks

    if run_setup.base and (base is None or not base.indexes):
        callback.on_message(
            "no index of copies: the model to begin with "
            + ("has none" if base else "is not named; --from with --resume would name it")
        )
        return []
    corpus = run_setup.corpus
    codes = tasks.get(corpus.task).copy_codes(corpus.vocabulary)
    return [*(base.indexes if base else []), index_of(corpus, codes)]


def _sample(model_data: ModelData, weights: list[Floats]) -> str:
    """A short sample by the network as it is; none where generation is slow."""
    model = Model(dataclasses.replace(model_data, weights=weights))
    return "" if model.needs_keras else model.task.preview(model)

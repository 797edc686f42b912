"""Corpus and options → a trained model."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

from seqgen.corpus.corpus import Corpus
from seqgen.model import Model
from seqgen.training import cluster
from seqgen.training.callbacks import Callback
from seqgen.training.request import RunInputs, RunRequest
from seqgen.types import Floats

if TYPE_CHECKING:
    from seqgen.copying.index import CopyIndex
    from seqgen.mixing.parameters import MixtureParameters
    from seqgen.model_file import ModelData
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
    mix: bool = True,
    **options: object,
) -> Model:
    """Train a model.

    Args:
        corpus: the result of `load_corpus`.
        minutes: wall-clock time of the run; 5 unless `epochs` is given.
        epochs: passes over the training part, instead of `minutes`.
        callback: called after every step and every validation.
        base: a model to train further, instead of a new one. Tokens that it does not know are
            added to its vocabulary. Not needed to resume a run that started from it.
        checkpoint_path: file for the checkpoints of the run.
        resume: continue the run of that checkpoint, with its options.
        index: store an index of the corpus that detects copies, one byte for each token.
        mix: mix the predictions of the network with n-grams of the corpus and with what a sequence
            repeats, see `seqgen.mixing.mixture`. A part of the corpus is reserved for its weights.
        options: `size` (auto, small, medium, large), and the other fields of `ModelConfig` and
            `TrainConfig`. Those not given are chosen by `seqgen.training.auto_config`.

    Raises:
        ConfigError: an option is unknown, out of its range, or differs from that of the base.
        CorpusError: the corpus is smaller than one batch.
        CheckpointError: there is nothing to resume, or it belongs to another run.
        TrainingError: the loss diverges.
        WorkerError: another machine of the run can no longer be reached.

    >>> from seqgen.tasks.load import load_corpus
    >>> corpus = load_corpus("python-docs")
    >>> model = train(corpus, epochs=0.001, units=8, batch_size=2, mix=False)
    >>> len(model.generate(length=20))
    20
    """
    request = RunRequest(
        {"minutes": minutes, "epochs": epochs, **options}, resume=resume, index=index, mix=mix
    )
    path = None if checkpoint_path is None else Path(checkpoint_path)
    return run(RunInputs(request, corpus, base, path), callback or Callback())


def run(inputs: RunInputs, callback: Callback) -> Model:
    """Train the model that a request describes; errors as for `train`."""
    started = time.monotonic()  # before TensorFlow is imported, so that this time counts
    from seqgen.tasks import base as tasks
    from seqgen.training import loop, setup

    run_setup = setup.resolve(inputs, callback, started)
    model_data = run_setup.model_data()
    if inputs.request.index and tasks.get(inputs.corpus.task).copy_unit:
        indexes = _indexes(run_setup, inputs.base, callback)
        model_data = dataclasses.replace(model_data, indexes=indexes)

    def write_sample(weights: list[Floats]) -> str:
        return Model(dataclasses.replace(model_data, weights=weights)).preview()

    result = loop.train(run_setup, callback, write_sample)
    model_data = dataclasses.replace(model_data, **vars(result))
    if inputs.request.mix and cluster.is_chief():  # which saves the model
        mixture = _mixture(run_setup, model_data, inputs.base, callback)
        model_data = dataclasses.replace(model_data, mixture=mixture)
    return Model(model_data)


def _mixture(
    run_setup: RunSetup, model_data: ModelData, base: Model | None, callback: Callback
) -> MixtureParameters | None:
    """The mixture of a model; None after Ctrl-C, which must not lose the network."""
    from seqgen.training import mixing

    corpus = run_setup.corpus
    try:
        if run_setup.train_config.reserved:
            return mixing.fit_mixture(Model(model_data), corpus, callback)
        return mixing.extended_mixture(base.data, corpus) if base else None
    except KeyboardInterrupt:
        callback.on_message("interrupted: the model has no mixture with n-grams")
        return None


def _indexes(run_setup: RunSetup, base: Model | None, callback: Callback) -> list[CopyIndex]:
    """Indexes of all corpora that the model has learned from.

    Empty if that of the base model is missing: copies from its corpus would not be detected.
    """
    from seqgen.copying.codes import index_of
    from seqgen.tasks import base as tasks

    if run_setup.base and not (base and base.data.indexes):
        reason = "has none" if base else "is not given; add --from to --resume"
        callback.on_message(
            f"the model has no index of copies, because the model it started from {reason}"
        )
        return []
    corpus = run_setup.corpus
    codes = tasks.get(corpus.task).copy_codes(corpus.vocabulary)
    return [*(base.data.indexes if base else []), index_of(corpus, codes)]

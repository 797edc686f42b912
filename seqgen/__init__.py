"""Train recurrent networks on text or music, and generate more of it.

>>> import seqgen
>>> corpus = seqgen.load_corpus("python-docs")
>>> model = seqgen.train(corpus, epochs=0.001, units=8, batch_size=2)
>>> text = model.generate(prompt="The ", length=20, temperature=0.8, seed=1)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from seqgen._version import __version__

_EXPORTS = {
    "Callback": "training.callbacks",
    "CheckpointError": "errors",
    "ConfigError": "errors",
    "Corpus": "corpus.corpus",
    "CorpusError": "errors",
    "DownloadError": "errors",
    "Model": "model",
    "ModelConfig": "config",
    "ModelFileError": "errors",
    "MusicError": "errors",
    "OutputError": "errors",
    "Progress": "training.callbacks",
    "SampleConfig": "sampling.config",
    "SeqgenError": "errors",
    "TrainConfig": "config",
    "TrainingError": "errors",
    "Vocabulary": "vocabulary",
    "VocabularyError": "errors",
    "WorkerError": "errors",
    "load": "model",
    "load_corpus": "tasks.load",
    "train": "training.train",
}

__all__ = sorted([*_EXPORTS, "__version__"])

if TYPE_CHECKING:
    from seqgen.config import ModelConfig, TrainConfig
    from seqgen.corpus.corpus import Corpus
    from seqgen.errors import (
        CheckpointError,
        ConfigError,
        CorpusError,
        DownloadError,
        ModelFileError,
        MusicError,
        OutputError,
        SeqgenError,
        TrainingError,
        VocabularyError,
        WorkerError,
    )
    from seqgen.model import Model, load
    from seqgen.sampling.config import SampleConfig
    from seqgen.tasks.load import load_corpus
    from seqgen.training.callbacks import Callback, Progress
    from seqgen.training.train import train
    from seqgen.vocabulary import Vocabulary


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that `import seqgen` is fast."""
    if name not in _EXPORTS:
        raise AttributeError(f"module 'seqgen' has no attribute {name!r}")
    return getattr(importlib.import_module(f"seqgen.{_EXPORTS[name]}"), name)

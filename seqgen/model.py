"""The public interface of a trained model: load, generate, save."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqgen import model_file
from seqgen.adaptation import gradient
from seqgen.adaptation.adapt import AdaptableModel, Adaptation, adapt
from seqgen.copying.codes import index_of
from seqgen.errors import ConfigError, ModelFileError
from seqgen.inference import engine, numpy_engine, sequence_engine
from seqgen.inference.engine import Engine
from seqgen.inference.sequence_engine import SequenceEngine
from seqgen.mixing.engine import mixed
from seqgen.mixing.mixture import Mixture
from seqgen.mixing.parameters import MixtureParameters
from seqgen.mixing.repeats import HISTORY
from seqgen.mixing.tree import most_nodes
from seqgen.model_file import ModelData
from seqgen.tasks import base
from seqgen.tasks.given import read_corpora, read_text
from seqgen.types import Ids, Json

if TYPE_CHECKING:
    from seqgen.copying.codes import CopyCodes
    from seqgen.music.piece import Piece
    from seqgen.tasks.base import Task
    from seqgen.tasks.images.generate import Picture
    from seqgen.tasks.labels.classifier import Course, Prediction
    from seqgen.tasks.labels.examples import Content
    from seqgen.tasks.music.generate import Composition
    from seqgen.tasks.text.generate import TextStream


def load(path: str | Path) -> Model:
    """Load a model without importing TensorFlow.

    Args:
        path: a file that `seqgen train` or `Model.save` wrote.

    Raises:
        ModelFileError: the file is missing, damaged, not a model, or has another format version,
            or its task is not installed.
    """
    path = Path(path)
    data = model_file.load(path)
    if data.task not in base.names():
        raise ModelFileError(
            f"{path}: expected a model of {' or '.join(base.names())}, got one of {data.task!r}; "
            "install the package that adds this task, or use another model"
        )
    with model_file.translate_errors(path), model_file.naming(model_file.MEMBER):
        base.get(data.task).require_valid(data.corpus, data.vocabulary)
        mixture_of(data)
    return Model(data)


def mixture_of(data: ModelData) -> Mixture | None:
    """The mixture of a model; None if it has none.

    Raises:
        ValueError: the mixture is that of another task.
    """
    if data.mixture is None:
        return None
    vocabulary = data.vocabulary
    bars = base.get(data.task).bars(vocabulary)
    return data.mixture.mixture(len(vocabulary), vocabulary.end_id, bars)


class Model:
    """A trained network with its vocabulary, configuration and history. Threads may share it.

    `texts`, `stream` and `generate` are methods of models of text, `pieces` and `compose` of
    models of music, `pictures` of models of images, `classify` and `explain` of models of labels;
    on a model of another task they raise `ConfigError`.

    Args:
        data: the content of a model file.
        context: ids `(N,)` that were read before a prompt.
    """

    def __init__(self, data: ModelData, context: Ids | None = None) -> None:
        self.data = data
        self.context: Ids = np.empty(0, np.int64) if context is None else context
        self._network: Engine | None = None
        self._engine: Engine | None = None
        self._sequence_engine: SequenceEngine | None = None
        self._lock = threading.RLock()  # so that threads share one engine

    @property
    def task(self) -> Task:
        """The task, that is the kind of sequence, on which the model was trained."""
        return base.get(self.data.task)

    @property
    def corpus_options(self) -> Json:
        """Options with which `load_corpus` reads a corpus for further training of this model."""
        options = self.task.corpus_options(self.data.corpus)
        return {"task": self.data.task, **options} if options else {}

    @property
    def engine(self) -> Engine:
        """What predicts the next token: the network, mixed with n-grams and repetitions if the
        model has a mixture. Created on first use."""
        with self._lock:
            if self._engine is None:
                mixture = mixture_of(self.data)
                network = self.network_engine
                self._engine = network if mixture is None else mixed(network, mixture)
            return self._engine

    @property
    def network_engine(self) -> Engine:
        """The fastest available engine for the network alone, created on first use."""
        with self._lock:
            if self._network is None:
                self._network = engine.choose(self.data.model_config, self.data.weights)
            return self._network

    @property
    def sequence_engine(self) -> SequenceEngine:
        """What predicts the class of a sequence, created on first use."""
        with self._lock:
            if self._sequence_engine is None:
                config, weights = self.data.model_config, self.data.weights
                self._sequence_engine = sequence_engine.choose(config, weights)
            return self._sequence_engine

    def save(self, path: str | Path, *, keep: bool = False) -> None:
        """Write a model file atomically.

        Args:
            path: ends in `.keras`.
            keep: rename an existing file instead of replacing it.

        Raises:
            OutputError: the file cannot be written; an existing file is unchanged.
        """
        model_file.save(self.data, Path(path), keep=keep)

    def adapt(
        self,
        text: str | Path,
        *,
        progress: bool = False,
        on_message: Callable[[str], None] = lambda message: None,
    ) -> Model:
        """A model that has learned from a text or from tunes, and writes on from there.

        It takes about half a minute for 100,000 characters, without TensorFlow. This model stays as
        it is. If learning from one part of the text does not help on the next one, the result has
        the same weights. See `seqgen.adaptation.adapt`.

        Args:
            text: the text itself, or tunes in ABC notation; or the path of a file or folder.
            progress: draw a progress bar on stderr.
            on_message: receives what was learned, and notes about the text.

        Raises:
            ConfigError: models of this task or cell cannot adapt, or the text has another encoding.
            CorpusError: there is nothing to read, or no token of it is in the vocabulary.
        """
        self.require_adaptable()
        data, vocabulary = self.data, self.data.vocabulary
        given = read_text(data, text) if isinstance(text, str) else read_corpora(data, [text])
        corpus = given.corpus
        ids = np.concatenate((self.task.opening(vocabulary), corpus.ids))
        first = len(ids) - len(corpus.ids)
        found = adapt(self.adaptable, ids, first, progress=progress)
        message = f"{corpus.name}: {found.summary(self.task.token_name)}"
        for note in (*given.notes, message):
            on_message(note)
        if found.is_useful:
            data = replace(
                data,
                weights=found.reader.network.weights(),
                mixture=_learned_mixture(data, found, len(corpus.ids)),
                indexes=data.indexes and [*data.indexes, index_of(corpus, self._copy_codes)],
                chosen="; ".join(filter(None, (data.chosen, f"adapted to {message}"))),
            )
        return Model(data, corpus.ids[-HISTORY:] if vocabulary.end_id is None else None)

    @property
    def adaptable(self) -> AdaptableModel:
        """What learns from a text, see `seqgen.adaptation`."""
        return AdaptableModel(self.data.model_config, self.data.weights, mixture_of(self.data))

    def require_adaptable(self) -> None:
        """Raise `ConfigError` unless the model can learn from a text while it reads it."""
        config = self.data.model_config
        if not self.task.is_adaptable:
            names = [name for name in base.names() if base.get(name).is_adaptable]
            raise ConfigError(
                f"adapt: expected a model of {' or '.join(names)}, got one of {self.data.task}; "
                "leave it out, or train the model further with seqgen train --from"
            )
        if not gradient.supports(config):
            raise ConfigError(
                f"adapt: expected a cell whose gradient seqgen computes itself, got {config.cell} "
                f"with the options {config.cell_options}; train the model further with seqgen "
                "train --from"
            )

    def texts(self, count: int = 1, **options: object) -> list[TextStream]:
        """Generate texts, see `seqgen.tasks.text.generate.TextGenerator.texts`."""
        texts: list[TextStream] = self._generator("texts")(count, **options)
        return texts

    def stream(self, prompt: str = "", **options: object) -> Iterator[str]:
        """Yield the prompt, then new characters one by one; options as for `texts`."""
        characters: Iterator[str] = self._generator("stream")(prompt, **options)
        return characters

    def generate(self, prompt: str = "", **options: object) -> str:
        """Return the prompt followed by new text; options as for `texts`."""
        text: str = self._generator("generate")(prompt, **options)
        return text

    def pieces(self, count: int = 1, **options: object) -> Iterator[Composition]:
        """Generate pieces of music, see `seqgen.tasks.music.pieces.Pieces.pieces`."""
        pieces: Iterator[Composition] = self._generator("pieces")(count, **options)
        return pieces

    def compose(self, **options: object) -> Piece:
        """Generate one piece of music; options as for `pieces`."""
        piece: Piece = self._generator("compose")(**options)
        return piece

    def pictures(self, count: int = 1, **options: object) -> Iterator[Picture]:
        """Generate pictures, see `seqgen.tasks.images.generate.PictureGenerator.pictures`."""
        pictures: Iterator[Picture] = self._generator("pictures")(count, **options)
        return pictures

    def classify(self, *contents: Content) -> list[Prediction]:
        """Label sequences, see `seqgen.tasks.labels.classifier.Classifier.classify`."""
        predictions: list[Prediction] = self._generator("classify")(*contents)
        return predictions

    def explain(self, content: Content) -> Course:
        """Follow the probabilities, see `seqgen.tasks.labels.classifier.Classifier.explain`."""
        course: Course = self._generator("explain")(content)
        return course

    def preview(self) -> str:
        """A short sample to show during training; empty if only Keras, which is slow, can run the
        network."""
        is_quick = numpy_engine.supports(self.data.model_config)
        return self.task.preview(self) if is_quick else ""

    @property
    def _copy_codes(self) -> CopyCodes:
        return self.task.copy_codes(self.data.vocabulary)

    def _generator(self, method: str) -> Callable[..., Any]:
        generator = self.task.generator(self)
        found: Callable[..., Any] | None = getattr(generator, method, None)
        if found is None:
            methods = [name for name in vars(type(generator)) if not name.startswith("_")]
            offered = [name for name in methods if hasattr(type(self), name)]
            raise ConfigError(
                f"expected a method of models of {self.data.task}, got {method}; "
                f"use {' or '.join(offered)}"
            )
        return found


def _learned_mixture(data: ModelData, found: Adaptation, tokens: int) -> MixtureParameters | None:
    """The mixture after a text of a number of tokens; None if the model has none."""
    mixture = found.reader.mixture
    if mixture is None:
        return None
    counted = data.corpus["split"]["training_tokens"] + tokens
    budget = most_nodes(counted, len(data.vocabulary))
    return MixtureParameters(mixture.tree.frozen(budget), mixture.weights)

"""A trained model as a person uses it: load, generate, save."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqgen import model_file
from seqgen.errors import ConfigError, ModelFileError
from seqgen.inference import engine, numpy_engine
from seqgen.inference.engine import Engine
from seqgen.model_file import ModelData
from seqgen.tasks import base

if TYPE_CHECKING:
    from seqgen.music.piece import Piece
    from seqgen.tasks.base import Task
    from seqgen.tasks.music.generate import Composition
    from seqgen.tasks.text.generate import TextStream


def load(path: str | Path) -> Model:
    """Read a model file; TensorFlow is not imported.

    Raises:
        ModelFileError: it is no model, is damaged, of another format version, or of a task that
            is not installed.
    """
    data = model_file.load(Path(path))
    if data.task not in base.names():
        raise ModelFileError(
            f"{path} is damaged, or was made for the task {data.task!r}; this seqgen knows "
            f"{', '.join(base.names())}"
        )
    return Model(data)


class Model:
    """A trained network and all that belongs to it.

    `texts`, `stream`, `generate`, `pieces` and `compose` are methods of the generator of the
    model's task; a model whose task has no such method raises `ConfigError`.

    Args:
        data: what a model file holds.
    """

    def __init__(self, data: ModelData) -> None:
        self.data = data
        self._engine: Engine | None = None

    @property
    def task(self) -> Task:
        """What kind of sequence the model was trained on."""
        return base.get(self.data.task)

    @property
    def needs_keras(self) -> bool:
        """Whether generation must go through Keras, because of the cell's options."""
        return not numpy_engine.supports(self.data.model_config)

    @property
    def corpus_options(self) -> dict[str, Any]:
        """Options of `load_corpus` that give a corpus this model can be trained on further."""
        options = self.task.corpus_options(self.data.corpus)
        return {"task": self.data.task, **options} if options else {}

    @property
    def writes_lines(self) -> bool:
        """Whether the model was trained on pieces that end, and so ends its outputs itself."""
        return self.data.vocabulary.end_id is not None

    @property
    def engine(self) -> Engine:
        """The network, ready to run one token at a time on the fastest engine available."""
        if self._engine is None:
            self._engine = engine.choose(self.data.model_config, self.data.weights)
        return self._engine

    def save(self, path: str | Path, *, keep: bool = False) -> None:
        """Write a model file, whole or not at all.

        Args:
            path: ends in `.keras`.
            keep: rename a file that already has this name instead of replacing it.

        Raises:
            OutputError: it cannot be written; an existing file is unchanged.
        """
        model_file.save(self.data, Path(path), keep=keep)

    def texts(self, count: int = 1, **options: Any) -> list[TextStream]:
        """New texts, see `seqgen.tasks.text.task.Texts.texts`."""
        texts: list[TextStream] = self._generator("texts")(count, **options)
        return texts

    def stream(self, prompt: str = "", **options: Any) -> Iterator[str]:
        """Yield the prompt, then new text, a character at a time; options as for `texts`."""
        characters: Iterator[str] = self._generator("stream")(prompt, **options)
        return characters

    def generate(self, prompt: str = "", **options: Any) -> str:
        """The prompt followed by new text; options as for `texts`."""
        text: str = self._generator("generate")(prompt, **options)
        return text

    def pieces(self, count: int = 1, **options: Any) -> Iterator[Composition]:
        """New pieces of music, see `seqgen.tasks.music.task.Pieces.pieces`."""
        pieces: Iterator[Composition] = self._generator("pieces")(count, **options)
        return pieces

    def compose(self, **options: Any) -> Piece:
        """A new piece of music; options as for `pieces`."""
        piece: Piece = self._generator("compose")(**options)
        return piece

    def _generator(self, method: str) -> Any:
        generator = self.task.generator(self)
        found = getattr(generator, method, None)
        if found is None:
            offered = [name for name in vars(type(generator)) if not name.startswith("_")]
            raise ConfigError(
                f"{method}: this is a model of {self.data.task}, which has no such method; "
                f"use {' or '.join(offered)}"
            )
        return found

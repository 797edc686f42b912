"""A trained model as a person uses it: load, generate, save."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqgen import model_file
from seqgen.config import SampleConfig
from seqgen.errors import ConfigError
from seqgen.inference import c_engine
from seqgen.inference.numpy_engine import Engine, NumpyEngine, supports
from seqgen.model_file import ModelData

if TYPE_CHECKING:
    from seqgen.music.piece import Piece
    from seqgen.tasks.music.generate import Composition
    from seqgen.tasks.text.generate import TextStream

DEFAULT_LENGTH = 500
LONGEST_LINE = 10_000


def load(path: str | Path) -> Model:
    """Read a model file; TensorFlow is not imported.

    Raises:
        ModelFileError: it is no model, is damaged, or is of another format version.
    """
    return Model(model_file.load(Path(path)))


class Model:
    """A trained network and all that belongs to it (`model_data`)."""

    def __init__(self, model_data: ModelData) -> None:
        self.data = model_data
        self._engine: Engine | None = None

    @property
    def needs_keras(self) -> bool:
        """Whether generation must go through Keras, because of the cell's options."""
        return not supports(self.data.model_config)

    @property
    def is_music(self) -> bool:
        """Whether the model was trained on music: it composes, and writes no text."""
        return self.data.task == "music"

    @property
    def corpus_options(self) -> dict[str, Any]:
        """How a corpus is read that the model can go on with: options of `load_corpus`."""
        return model_file.corpus_options(self.data)

    @property
    def writes_lines(self) -> bool:
        """Whether the model was trained on lines, and so writes whole lines."""
        return self.data.vocabulary.end_id is not None

    @property
    def engine(self) -> Engine:
        """The network, ready to run a token at a time, in the fastest way that there is."""
        if self._engine is None:
            network = self.data.model_config, self.data.weights
            if c_engine.supports(self.data.model_config):
                self._engine = c_engine.CEngine(*network)
            elif self.needs_keras:
                from seqgen.inference.keras_engine import KerasEngine

                self._engine = KerasEngine(*network)
            else:
                self._engine = NumpyEngine(*network)
        return self._engine

    def save(self, path: str | Path, *, keep: bool = False) -> None:
        """Write a model file, whole or not at all.

        Args:
            path: ends in `.keras`.
            keep: a file that stands there is kept under another name.

        Raises:
            OutputError: it cannot be written; what was there is as it was.
        """
        model_file.save(self.data, Path(path), keep=keep)

    def texts(
        self,
        count: int = 1,
        *,
        prompt: str = "",
        length: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
        stop: str = "",
        ban: str = "",
        allow: str = "",
        skip_unknown: bool = False,
        scored: bool = False,
        **sampling: Any,
    ) -> list[TextStream]:
        """New texts, written side by side while they are read.

        Args:
            count: how many; a text is the same however many there are.
            prompt: what each begins with.
            length: new characters, 500 unless given; a model of lines stops at the line's end,
                or after 10,000.
            temperature: 0 takes the likeliest character each time, 1 draws as the model says; 0.8
                unless given.
            seed: the same seed gives the same texts on the same machine.
            stop: each ends before this text.
            ban: characters that are never written.
            allow: only these are written.
            skip_unknown: drop characters of the prompt that the model has never seen.
            scored: keep how likely the model found each character.
            sampling: the other fields of `SampleConfig`: `top_k`, `top_p`, `min_p`, `beam` …

        Raises:
            VocabularyError: the prompt has characters that the model has never seen.
            ConfigError: an option is out of its range, or the model is one of music.

        >>> # model.texts(2, prompt="The ", top_p=0.9, max_copy=40)
        """
        from seqgen.tasks.text.generate import TextGenerator

        if self.is_music:
            raise ConfigError("this is a model of music, it writes no text; use compose")
        if length is None:
            length = LONGEST_LINE if self.writes_lines else DEFAULT_LENGTH
        config = self._sampling(length, temperature, seed, sampling)
        writer = TextGenerator(self.engine, self.data.vocabulary, self.data.indexes)
        return writer.write(
            prompt,
            config,
            count=count,
            stop=stop,
            ban=ban,
            allow=allow,
            skip_unknown=skip_unknown,
            scored=scored,
        )

    def _sampling(
        self, length: int, temperature: float | None, seed: int | None, options: dict[str, Any]
    ) -> SampleConfig:
        if temperature is not None:
            if options.get("temperature_schedule"):
                raise ConfigError(
                    "temperature: expected one temperature or a schedule of them, got both"
                )
            options["temperature"] = temperature
        known = {each.name for each in dataclasses.fields(SampleConfig)}
        for option in options.keys() - known:
            raise ConfigError(
                f"{option}: no option of generation; there are {', '.join(sorted(known))}"
            )
        seed = new_seed() if seed is None else seed
        return SampleConfig(**{"length": length, "seed": seed, **options})

    def stream(self, prompt: str = "", **options: Any) -> Iterator[str]:
        """Yield the prompt, then new text, a character at a time; options as for `texts`."""
        return iter(self.texts(prompt=prompt, **options)[0])

    def generate(self, prompt: str = "", **options: Any) -> str:
        """The prompt followed by new text; options as for `texts`."""
        return "".join(self.stream(prompt, **options))

    def pieces(
        self,
        count: int = 1,
        *,
        temperature: float | None = None,
        seed: int | None = None,
        scored: bool = False,
        sampling: Mapping[str, Any] | None = None,
        **wishes: Any,
    ) -> Iterator[Composition]:
        """New pieces of music, and how they came about.

        Args:
            count: how many; a piece is the same however many there are.
            temperature: 0 takes the likeliest token each time, 1 draws as the model says; 0.8
                unless given.
            seed: the same seed gives the same pieces on the same machine.
            scored: keep how likely the model found each token.
            sampling: the other fields of `SampleConfig`: `top_k`, `top_p`, `min_p`, `beam` …
            wishes: `bars`, `key`, `meter`, `tempo`, `pitch_range`, `instrument`, `primer` and
                `echo`, see `seqgen.tasks.music.request.wishes`.

        Raises:
            MusicError: an option that makes no sense, a primer that cannot be read.
            VocabularyError: a key, a meter or a primer that the model has never seen.
            ConfigError: a number is out of its range, or the model is one of text.
        """
        from seqgen.tasks.music.generate import MusicGenerator
        from seqgen.tasks.music.request import wishes as parsed

        if not self.is_music:
            raise ConfigError("this is a model of text, it composes no music; use generate")
        model_data = self.data
        composer = MusicGenerator(
            self.engine, model_data.vocabulary, model_data.corpus, model_data.indexes
        )
        config = self._sampling(0, temperature, seed, dict(sampling or {}))
        made = composer.compose(parsed(**wishes), config, count=count, scored=scored)
        for number, each in enumerate(made, 1):
            name = f"{config.seed}" if number == 1 else f"{config.seed}-{number}"
            each.piece = dataclasses.replace(
                each.piece, title=f"{model_data.corpus['name']} {name}"
            )
            yield each

    def compose(self, **options: Any) -> Piece:
        """A new piece of music; options as for `pieces`."""
        return next(self.pieces(**options)).piece


def new_seed() -> int:
    """A seed to draw with, and to name, when the user gave none."""
    return secrets.randbelow(2**31)

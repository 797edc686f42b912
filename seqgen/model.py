"""A trained model as a person uses it: train, save, load, generate."""

from __future__ import annotations

import dataclasses
import inspect
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqgen import bundle as bundle_module
from seqgen import catalogue, cluster, fine_tuning
from seqgen.bundle import Bundle
from seqgen.callback import Callback
from seqgen.config import SampleConfig
from seqgen.corpus import Corpus
from seqgen.errors import ConfigError
from seqgen.runtime import Floats, Runtime, Stepper, knows
from seqgen.tasks import text

if TYPE_CHECKING:
    from seqgen.composition import Composition
    from seqgen.music.piece import Piece
    from seqgen.writing import Text

DEFAULT_LENGTH = 500
LONGEST_LINE = 10_000
SAMPLE_LENGTH = 160
SAMPLE_BARS = 8


def load_corpus(
    *corpora: str | Path, task: str | None = None, progress: bool = False, **options: Any
) -> Corpus:
    """Read a corpus.

    Args:
        corpora: paths, folders, globs, `-` for standard input, or names that `seqgen corpora`
            lists.
        task: text or music; told from the files, unless given.
        progress: draw a progress bar on stderr, of a download or of reading music.
        options: of `seqgen.tasks.text.read` or `seqgen.tasks.music.read`: `validation`,
            `encoding`; `lines`, `min_count`; `transpose`, `velocity`, `expand_repeats`, `voices`.

    Raises:
        CorpusError: it cannot be found or read, or holds nothing to learn from.
        ConfigError: an option is out of its range, or of the other task.
        DownloadError: a named corpus cannot be fetched.

    >>> load_corpus("python-docs").name
    'python-docs'
    """
    from seqgen.tasks import kinds

    found = catalogue.find(corpora, progress=progress)
    task = task or found.task or kinds.task_of(found.sources)
    options = {**found.options, **options}
    if task == "music":
        from seqgen.tasks import music

        options["progress"] = progress
        reader: Callable[..., Corpus] = music.read
    else:
        reader = text.read
    known = inspect.signature(reader).parameters
    for option in options.keys() - known.keys():
        raise ConfigError(
            f"{option}: not an option of {task}; this corpus is read as {task}, "
            f"and --task {'text' if task == 'music' else 'music'} would read it otherwise"
        )
    corpus = reader(found.sources, name=found.name, **options)
    notes = (*found.terms, *corpus.notes)
    return dataclasses.replace(corpus, notes=notes, arguments=tuple(map(str, corpora)))


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
            `TrainConfig`; those not given are chosen by `seqgen.automatic`, from the corpus, the
            time, and the machine's speed.

    Raises:
        ConfigError: an option is unknown or out of its range, or not that of the base.
        CorpusError: the corpus is smaller than one batch.
        CheckpointError: there is nothing to resume, or it belongs to another run.
        TrainingError: the loss explodes.
        WorkerError: on several machines, another one is gone.

    >>> model = train(load_corpus("python-docs"), epochs=0.001, units=8, batch_size=2)
    >>> len(model.generate(length=20))
    20
    """
    started = time.monotonic()  # importing TensorFlow counts
    from seqgen import beginning, originality, training

    callback = callback or Callback()
    path = None if checkpoint_path is None else Path(checkpoint_path)
    given = beginning.settled({"minutes": minutes, "epochs": epochs, **options})
    base_bundle = base.bundle if base else None
    if cluster.machine_count() > 1:
        beginning.meet_other_machines(corpus, given, base_bundle, resume, callback)
        started = time.monotonic()  # waiting for them does not
    if resume:
        begun = beginning.resumed(corpus, given, path)
    else:
        begun = beginning.new(corpus, given, base_bundle, callback)
    indexes = [*(base.bundle.indexes if base else []), originality.index_of(begun.corpus)]
    bundle = dataclasses.replace(begun.bundle(), indexes=indexes if index else [])
    result = training.train(
        begun.corpus,
        begun.model_config,
        begun.train_config,
        callback,
        started=started,
        initial_weights=begun.weights,
        checkpoint_path=path,
        resume=begun.checkpoint,
        chosen=begun.chosen,
        write_sample=lambda weights: _sample(bundle, weights),
    )
    if per_token := corpus.details.get("notes_per_validation_token"):
        bits = result.scores["bits_per_token"]
        result.scores["bits_per_note"] = None if bits is None else bits / per_token
    return Model(dataclasses.replace(bundle, **vars(result)))


def _sample(bundle: Bundle, weights: list[Floats]) -> str:
    """A little text or music, for a person to see how a run gets on; none where it takes long."""
    model = Model(dataclasses.replace(bundle, weights=weights))
    if model.needs_keras:
        return ""
    if model.is_music:
        from seqgen.music.abc_writer import abc_lines

        return abc_lines(model.compose(bars=SAMPLE_BARS, seed=0))
    return model.generate(length=SAMPLE_LENGTH, seed=0)


def load(path: str | Path) -> Model:
    """Read a model file; TensorFlow is not imported.

    Raises:
        ModelFileError: it is no model, is damaged, or is of another format version.
    """
    return Model(bundle_module.load(Path(path)))


class Model:
    """A trained network and all that belongs to it (`bundle`)."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._stepper: Stepper | None = None

    @property
    def needs_keras(self) -> bool:
        """Whether generation must go through Keras, because of the cell's options."""
        return not knows(self.bundle.model_config)

    @property
    def is_music(self) -> bool:
        """Whether the model was trained on music: it composes, and writes no text."""
        return self.bundle.task == "music"

    @property
    def corpus_options(self) -> dict[str, Any]:
        """How a corpus is read that the model can go on with: options of `load_corpus`."""
        return fine_tuning.corpus_options(self.bundle)

    @property
    def writes_lines(self) -> bool:
        """Whether the model was trained on lines, and so writes whole lines."""
        return self.bundle.vocabulary.end_id is not None

    @property
    def stepper(self) -> Stepper:
        """The network, ready to run a token at a time."""
        if self._stepper is None:
            if self.needs_keras:
                from seqgen.network import KerasStepper

                self._stepper = KerasStepper(self.bundle.model_config, self.bundle.weights)
            else:
                self._stepper = Runtime(self.bundle.model_config, self.bundle.weights)
        return self._stepper

    def save(self, path: str | Path, *, keep: bool = False) -> None:
        """Write a model file, whole or not at all.

        Args:
            path: ends in `.keras`.
            keep: a file that stands there is kept under another name.

        Raises:
            OutputError: it cannot be written; what was there is as it was.
        """
        bundle_module.save(self.bundle, Path(path), keep=keep)

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
    ) -> list[Text]:
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
        from seqgen.writing import Writer

        if self.is_music:
            raise ConfigError("this is a model of music, it writes no text; use compose")
        if length is None:
            length = LONGEST_LINE if self.writes_lines else DEFAULT_LENGTH
        config = self._sampling(length, temperature, seed, sampling)
        writer = Writer(self.stepper, self.bundle.vocabulary, self.bundle.indexes)
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
            raise ConfigError(f"{option}: no option of generation")
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
                `echo`, see `seqgen.wishes.wishes`.

        Raises:
            MusicError: an option that makes no sense, a primer that cannot be read.
            VocabularyError: a key, a meter or a primer that the model has never seen.
            ConfigError: a number is out of its range, or the model is one of text.
        """
        from seqgen.composition import Composer
        from seqgen.wishes import wishes as parsed

        if not self.is_music:
            raise ConfigError("this is a model of text, it composes no music; use generate")
        bundle = self.bundle
        composer = Composer(self.stepper, bundle.vocabulary, bundle.corpus, bundle.indexes)
        config = self._sampling(0, temperature, seed, dict(sampling or {}))
        made = composer.compose(parsed(**wishes), config, count=count, scored=scored)
        for number, each in enumerate(made, 1):
            name = f"{config.seed}" if number == 1 else f"{config.seed}-{number}"
            each.piece = dataclasses.replace(each.piece, title=f"{bundle.corpus['name']} {name}")
            yield each

    def compose(self, **options: Any) -> Piece:
        """A new piece of music; options as for `pieces`."""
        return next(self.pieces(**options)).piece


def new_seed() -> int:
    """A seed to draw with, and to name, when the user gave none."""
    return secrets.randbelow(2**31)

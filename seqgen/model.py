"""A trained model as a person uses it: train, save, load, generate."""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seqgen import automatic, catalogue, checkpoint, cluster, fine_tuning, generation
from seqgen import bundle as bundle_module
from seqgen.batches import fitting_size, require_enough
from seqgen.bundle import Bundle
from seqgen.callback import Callback
from seqgen.config import SIZES, ModelConfig, SampleConfig, TrainConfig
from seqgen.corpus import Corpus
from seqgen.errors import ConfigError
from seqgen.runtime import Floats, Runtime, Stepper, knows
from seqgen.tasks import text

DEFAULT_MINUTES = 5.0
DEFAULT_LENGTH = 500
LONGEST_LINE = 10_000
SAMPLE_LENGTH = 160
LONG_RUN = 3_000_000  # tokens: enough to spend some seconds on trying precisions


def load_corpus(*corpora: str | Path, progress: bool = False, **options: Any) -> Corpus:
    """Read a corpus.

    Args:
        corpora: paths, folders, globs, `-` for standard input, or names that `seqgen corpora`
            lists.
        progress: draw a progress bar of a download on stderr.
        options: `encoding`, `lines`, `min_count` and `validation`, see `seqgen.tasks.text.read`.

    Raises:
        CorpusError: it cannot be found or read, or holds no text.
        DownloadError: a named corpus cannot be fetched.

    >>> load_corpus("python-docs").name
    'python-docs'
    """
    name, sources = catalogue.find(corpora, progress=progress)
    return text.read(sources, name=name, **options)


def train(
    corpus: Corpus,
    *,
    minutes: float | None = None,
    epochs: float | None = None,
    callback: Callback | None = None,
    base: Model | None = None,
    checkpoint_path: str | Path | None = None,
    resume: bool = False,
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
    from seqgen import distribution, training

    callback = callback or Callback()
    path = None if checkpoint_path is None else Path(checkpoint_path)
    given = _set({"minutes": minutes, "epochs": epochs, **options})
    if cluster.machine_count() > 1:
        _meet_other_machines(corpus, given, callback)
        started = time.monotonic()
    saved, weights, chosen = None, None, ""
    if resume:
        if path is None:
            raise ConfigError("resume: expected a checkpoint_path to go on from, got none")
        data = distribution.chiefs(checkpoint.read(path) if cluster.is_chief() else b"")
        saved = checkpoint.parsed(data, path)
        model_config, train_config, vocabulary = checkpoint.beginning(path, saved[0], given)
        if vocabulary.tokens[: len(corpus.vocabulary)] == corpus.vocabulary.tokens:
            corpus = dataclasses.replace(corpus, vocabulary=vocabulary)
    else:
        if base is not None:
            given = fine_tuning.options(base.bundle, given)
            vocabulary = fine_tuning.grown_vocabulary(base.bundle.vocabulary, corpus.vocabulary)
            weights = fine_tuning.grown_weights(base.bundle, vocabulary)
            corpus = dataclasses.replace(corpus, vocabulary=vocabulary)
        if cluster.is_chief():
            given, chosen = _complete(corpus, given, callback)
        given, chosen = distribution.chiefs((given, chosen))
        model_config, train_config = configs(**given)
    bundle = Bundle(
        corpus.task, model_config, train_config, corpus.vocabulary, corpus.facts(), weights=[]
    )
    if path and not resume and cluster.is_chief() and (kept := checkpoint.put_aside(path)):
        callback.on_message(
            f"a run that broke off left {path}, which --resume would go on with; "
            f"it is kept as {kept}"
        )
    result = training.train(
        corpus,
        model_config,
        train_config,
        callback,
        started=started,
        initial_weights=weights,
        checkpoint_path=path,
        resume=saved,
        chosen=chosen,
        write_sample=lambda weights: _sample(bundle, weights),
    )
    return Model(dataclasses.replace(bundle, **vars(result)))


def _meet_other_machines(corpus: Corpus, given: dict[str, Any], callback: Callback) -> None:
    """Wait for the other machines that TF_CONFIG names, and see that all do the same."""
    from seqgen import distribution, sharding

    number, count = cluster.place()
    callback.on_message(f"machine {number + 1} of {count}: waiting for the others")
    sharding.divide_threads(given.get("batch_size", 64) // count)
    here = {"corpus": corpus.facts(), "options": given}
    if distribution.chiefs(here) != here:
        raise ConfigError(
            "this machine has another corpus or other options than the first one; "
            "give every machine the same files and the same command"
        )


def _sample(bundle: Bundle, weights: list[Floats]) -> str:
    """A little text, for a person to see how a run gets on; none where it would take long."""
    model = Model(dataclasses.replace(bundle, weights=weights))
    return "" if model.needs_keras else model.generate(length=SAMPLE_LENGTH, seed=0)


def _complete(
    corpus: Corpus, given: dict[str, Any], callback: Callback
) -> tuple[dict[str, Any], str]:
    """The options with those chosen that nobody gave, and what there is to say of them."""
    from seqgen import distribution, network, trial

    model_config, train_config = configs(**given)  # whatever is wrong is said before
    batch_size, window = fitting_size(corpus.training_length)
    require_enough(corpus, given.get("batch_size", batch_size), given.get("window", window))
    speed = automatic.ASSUMED_SPEED
    precision = train_config.precision
    is_fast = network.is_fast(model_config)
    if is_fast:
        minutes = train_config.minutes or 0
        epochs = train_config.epochs or 0
        is_long = minutes >= 1 or epochs * corpus.training_length >= LONG_RUN
        if is_long and not trial.is_known():
            callback.on_message("trying how fast this machine is in each precision, once")
        if is_long or trial.is_known():
            trials = trial.results()
            precision = given.get("precision") or trial.best(trials)
            speed = trials.get(precision, trials["float32"]).tokens_per_second
    task = automatic.Task(
        corpus.training_length,
        len(corpus.vocabulary),
        train_config.minutes,
        train_config.epochs,
        speed,
        is_fast,
        distribution.strategy().num_replicas_in_sync,
    )
    options, chosen = automatic.fill(task, {"precision": precision, **given})
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
    options = _set(options)
    if options.get("minutes") is None and options.get("epochs") is None:
        options["minutes"] = DEFAULT_MINUTES
    names = ModelConfig.__dataclass_fields__.keys() & options.keys()
    model_config = ModelConfig.from_json({name: options.pop(name) for name in names})
    return model_config, TrainConfig.from_json(options)


def _set(options: dict[str, Any]) -> dict[str, Any]:
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

    def stream(
        self,
        prompt: str = "",
        *,
        length: int | None = None,
        temperature: float = 0.8,
        seed: int | None = None,
        skip_unknown: bool = False,
        item: int = 0,
    ) -> Iterator[str]:
        """Yield the prompt, then new text, a character at a time.

        Args:
            prompt: what the text begins with.
            length: new characters, 500 unless given; a model of lines stops at the line's end,
                or after 10,000.
            temperature: 0 takes the likeliest character each time, 1 draws as the model says.
            seed: the same seed gives the same text on the same machine.
            skip_unknown: drop characters of the prompt that the model has never seen.
            item: which of several texts of one seed.

        Raises:
            VocabularyError: the prompt has characters that the model has never seen.
            ConfigError: an option is out of its range.
        """
        seed = new_seed() if seed is None else seed
        if length is None:
            length = LONGEST_LINE if self.writes_lines else DEFAULT_LENGTH
        config = SampleConfig(length, temperature, seed)
        vocabulary = self.bundle.vocabulary
        prompt, ids = text.encode_prompt(vocabulary, prompt, skip_unknown=skip_unknown)
        unknown_id = vocabulary.unknown_id
        tokens = generation.generate(
            self.stepper,
            ids,
            config,
            end_id=vocabulary.end_id,
            forbidden=[] if unknown_id is None else [unknown_id],
            may_be_empty=bool(prompt),
            item=item,
        )
        return _stream(prompt, (vocabulary.tokens[token] for token in tokens))

    def generate(self, prompt: str = "", **options: Any) -> str:
        """The prompt followed by new text: `stream` in one string, with the same options."""
        return "".join(self.stream(prompt, **options))


def _stream(prompt: str, tokens: Iterator[str]) -> Iterator[str]:
    if prompt:
        yield prompt
    yield from tokens


def new_seed() -> int:
    """A seed to draw with, and to name, when the user gave none."""
    return secrets.randbelow(2**31)

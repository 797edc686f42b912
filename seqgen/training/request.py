"""What the user asks of a training run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from seqgen.config import SIZES, ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError
from seqgen.model_file import require_model_path
from seqgen.training import checkpoint, cluster, output
from seqgen.types import Json
from seqgen.utils.atomic_files import require_writable

if TYPE_CHECKING:
    from seqgen.model import Model

DEFAULT_MINUTES = 5.0


@dataclass(frozen=True)
class RunRequest:
    """A training run as the user asked for it, before anything is read or chosen.

    Raises:
        ConfigError: an option is unknown or out of its range.
        OutputError: the output cannot be written.

    >>> request = RunRequest({"size": "small", "dropout": None})
    >>> request.explicit_options, request.train_config.minutes
    ({'units': 128}, 5.0)
    """

    explicit_options: Mapping[str, object]  # `size` and fields of `ModelConfig` and `TrainConfig`
    sources: tuple[str, ...] = ()  # arguments of `load_corpus`; empty if there is a corpus already
    corpus_options: Mapping[str, object] = field(default_factory=dict)  # options of `load_corpus`
    output: Path | None = None  # model file to write; by default named after the corpus
    base: Path | None = None  # model file to train further
    resume: bool = False  # whether to continue an interrupted run
    index: bool = True  # whether the model stores an index of the corpus that detects copies
    mix: bool = True  # whether the model mixes the predictions of the network with n-grams
    # The explicit options, with defaults for the others.
    model_config: ModelConfig = field(init=False)
    train_config: TrainConfig = field(init=False)

    def __post_init__(self) -> None:
        explicit = normalise_options(self.explicit_options)
        length = {} if explicit.keys() & {"minutes", "epochs"} else {"minutes": DEFAULT_MINUTES}
        names = explicit.keys() & {option.name for option in fields(ModelConfig)}
        network = {name: explicit[name] for name in names}
        training = {name: explicit[name] for name in explicit.keys() - names}
        object.__setattr__(self, "explicit_options", explicit)
        object.__setattr__(self, "model_config", ModelConfig.from_json(network))
        object.__setattr__(self, "train_config", TrainConfig.from_json({**length, **training}))
        if self.output:
            require_model_path(self.output)
            require_writable(self.output)

    def load(self, *, progress: bool = False) -> tuple[RunInputs, Path]:
        """Read the corpus and the model to train further, and choose a model file to write.

        Args:
            progress: draw a progress bar on stderr.

        Raises:
            CorpusError: the corpus cannot be found or read.
            ModelFileError: the model to train further cannot be read.
            CheckpointError: there is no run to resume.
            OutputError: the model file cannot be written.
        """
        from seqgen import model
        from seqgen.corpus import catalogue
        from seqgen.tasks.load import load_corpus

        base = None
        if self.base and (self.base.exists() or not self.resume):
            base = model.load(self.base)
        path = self.output or output.default_path(
            catalogue.name_of(self.sources[0]), resume=self.resume
        )
        checkpoint_path = checkpoint.path_for(path)
        require_writable(checkpoint_path)  # its name is longer
        options: Json = {}
        if self.resume and cluster.is_chief():
            options |= checkpoint.corpus_options(checkpoint_path)
        if base:
            options |= base.corpus_options
        options |= self.corpus_options
        corpus = load_corpus(*self.sources, progress=progress, **options)
        return RunInputs(self, corpus, base, checkpoint_path), path


@dataclass(frozen=True, eq=False)
class RunInputs:
    """A request, and what it names, read from files."""

    request: RunRequest
    corpus: Corpus
    base: Model | None = None
    checkpoint_path: Path | None = None


def normalise_options(options: Mapping[str, object]) -> Json:
    """Remove options that are None or `auto`, and replace `size` by `units`.

    Raises:
        ConfigError: there is no such size.
    """
    size = options.get("size") or "auto"
    if size not in SIZES:
        raise ConfigError(f"size: expected one of {', '.join(SIZES)}, got {size!r}")
    options = {"units": SIZES[size], **options}
    return {
        name: value
        for name, value in options.items()
        if name != "size" and value is not None and (name, value) != ("precision", "auto")
    }

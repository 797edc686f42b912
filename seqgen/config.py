"""The options of a network and of a training run, validated when created."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from seqgen.cells import base as cells
from seqgen.errors import ConfigError
from seqgen.utils.validate import require, require_fraction, require_positive, require_whole

if TYPE_CHECKING:
    from seqgen.types import Json

PRECISIONS = ("float32", "bfloat16", "float16")
MOST_UNITS = 16_384  # of a layer, and dimensions of an embedding
MOST_LAYERS = 100
MOST_LAGS = 16
LONGEST_NGRAM = 16
BUCKETS = 65_521  # rows of an embedding for n-grams, a prime number
INPUTS = ("ids", "numbers")
POOLINGS = ("none", "last", "mean")
MOST_OUTPUTS = 100_000
SIZES = {"auto": None, "small": 128, "medium": 256, "large": 512}  # units

# Arguments of the Keras layer that the network sets itself, and why `cell_options` may not.
RESERVED_CELL_OPTIONS = {
    "units": "use units",
    "return_sequences": "use pooling",
    "return_state": "every layer returns its state",
    "stateful": "the state is passed explicitly",
    "go_backwards": "reading backwards would reveal the token to predict",
    "unroll": "the window may have any length",
}

# Upper bounds: more is a slip of the finger, or does not fit into memory.
MOST_IN_A_BATCH = 65_536  # sequences, and tokens of a window
MOST_OF_TRAINING = {
    "minutes": 525_600,  # a year
    "epochs": 1_000_000,
    "learning_rate": 100,
    "clip_norm": 1_000_000,
    "weight_decay": 100,
}

C = TypeVar("C", bound="Config")


@dataclass(frozen=True)
class Config:
    """Base of the configurations: equality, and a round trip through JSON."""

    def to_json(self) -> Json:
        """The fields as plain data for `json.dump`."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls: type[C], data: Mapping[str, object]) -> C:
        """The inverse of `to_json`.

        Raises:
            ConfigError: a field is unknown or out of its range.

        >>> ModelConfig.from_json(ModelConfig(units=64).to_json()) == ModelConfig(units=64)
        True
        """
        unknown = sorted(set(data) - {option.name for option in dataclasses.fields(cls)})
        if unknown:
            raise ConfigError(f"{cls.__name__} has no field {', '.join(unknown)}")
        return cls(**data)

    def override(self: C, options: Mapping[str, object]) -> C:
        """A copy with other values for the fields that `options` names; it may name others too.

        >>> ModelConfig(units=64).override({"layers": 2, "window": 32}).layers
        2
        """
        names = {option.name for option in dataclasses.fields(self)} & options.keys()
        return dataclasses.replace(self, **{name: options[name] for name in names})


@dataclass(frozen=True)
class ModelConfig(Config):
    """The layers of a network.

    >>> ModelConfig(cell="gru", units=128, cell_options={"reset_after": False}).layers
    1
    >>> ModelConfig(units=0)
    Traceback (most recent call last):
    seqgen.errors.ConfigError: units: expected a whole number of at least 1, got 0
    """

    cell: str = "lstm"  # a name of `seqgen.cells.base`
    units: int = 256  # units of each recurrent layer
    layers: int = 1  # number of stacked recurrent layers
    embedding: int = 64  # dimension of the token embedding
    dropout: float = 0.0  # share of each recurrent layer's outputs to drop in training
    cell_options: Json = field(default_factory=dict)  # further arguments of the layer
    # What the network reads and predicts; a corpus sets them, see `Corpus.network`.
    inputs: str = "ids"  # ids of tokens; or "numbers", of which a step has as many as tokens
    pooling: str = "none"  # predict at every step; or once, from the "last" state or the "mean"
    outputs: int = 0  # number of classes; 0: every token is one
    bidirectional: bool = False  # whether every layer also reads backwards; needs pooling
    ngrams: int = 1  # tokens of the longest n-gram read at a step, see `seqgen.corpus.ngrams`
    # Steps before a token at which the network reads again, see `seqgen.corpus.lags`.
    lags: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        require(self.cell in cells.names(), "cell", f"one of {', '.join(cells.names())}", self.cell)
        require_whole("units", self.units, 1, MOST_UNITS)
        require_whole("layers", self.layers, 1, MOST_LAYERS)
        require_whole("embedding", self.embedding, 1, MOST_UNITS)
        require_fraction("dropout", self.dropout)
        for name, values in (("inputs", INPUTS), ("pooling", POOLINGS)):
            value = getattr(self, name)
            require(value in values, name, f"one of {', '.join(values)}", value)
        require_whole("outputs", self.outputs, 0, MOST_OUTPUTS)
        is_flag = isinstance(self.bidirectional, bool)
        require(is_flag, "bidirectional", "true or false", self.bidirectional)
        require_whole("ngrams", self.ngrams, 1, LONGEST_NGRAM)
        require(len(self.lags) <= MOST_LAGS, "lags", f"at most {MOST_LAGS}", len(self.lags))
        for lag in self.lags:
            require_whole("lags", lag, 1, MOST_IN_A_BATCH)
        object.__setattr__(self, "lags", tuple(self.lags))  # JSON has lists
        for name, why in RESERVED_CELL_OPTIONS.items():
            require(name not in self.cell_options, "cell_options", f"no {name!r} ({why})", name)
        try:
            plain = json.loads(json.dumps(dict(self.cell_options), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"cell_options: expected values that JSON can hold, such as 'relu' or "
                f'{{"class_name": "L2", "config": {{"l2": 0.01}}}}: {error}'
            ) from error
        object.__setattr__(self, "cell_options", plain)

    def to_json(self) -> Json:
        """The fields as plain data; lags and n-grams only if there are any, as in older files."""
        data = super().to_json()
        lags, ngrams = list(data.pop("lags")), data.pop("ngrams")
        return data | ({"lags": lags} if lags else {}) | ({"ngrams": ngrams} if ngrams > 1 else {})

    def require_coherent(self) -> None:
        """Raise `ConfigError` unless the network can predict what it is built for.

        >>> ModelConfig(bidirectional=True).require_coherent()
        Traceback (most recent call last):
        seqgen.errors.ConfigError: bidirectional: expected pooling, got none: reading backwards \
would reveal the token to predict
        """
        why = {
            "bidirectional": "reading backwards would reveal the token to predict",
            "outputs": "a class is predicted from all steps of a sequence",
            "inputs": "a sequence of numbers has no next token",
        }
        if self.pooling == "none":
            for name, reason in why.items():
                if getattr(self, name) not in (False, 0, "ids"):
                    raise ConfigError(f"{name}: expected pooling, got none: {reason}")
        if self.ngrams > 1 and (self.pooling == "none" or self.inputs != "ids"):
            raise ConfigError(
                f"ngrams: expected 1, got {self.ngrams}: only texts with labels have n-grams"
            )

    @property
    def directions(self) -> int:
        """In how many directions every layer reads: 1 or 2."""
        return 1 + self.bidirectional

    @property
    def predicts_class(self) -> bool:
        """Whether the network predicts the class of a sequence, not its next token."""
        return self.outputs > 0

    def output_size(self, vocabulary_size: int) -> int:
        """The number of classes that the network predicts."""
        return self.outputs or vocabulary_size

    def embedding_rows(self, vocabulary_size: int) -> int:
        """The number of rows of the embedding: of tokens, and of those of lags and n-grams."""
        return vocabulary_size * (1 + len(self.lags)) + BUCKETS * (self.ngrams > 1)

    def weight_shapes(self, vocabulary_size: int) -> list[list[tuple[int, ...]]]:
        """The shapes of the weights, in the order of Keras, layer by layer.

        First the embedding, then every recurrent layer, last the output layer. A bidirectional
        layer is two: it reads forwards, then backwards.

        >>> ModelConfig("gru", units=2, embedding=3).weight_shapes(vocabulary_size=5)
        [[(5, 3)], [(3, 6), (2, 6), (2, 6)], [(2, 5), (5,)]]
        """
        cell = cells.get(self.cell)
        width, outputs = self.directions * self.units, self.output_size(vocabulary_size)
        first: list[tuple[int, ...]] = [(self.embedding_rows(vocabulary_size), self.embedding)]
        if self.inputs == "numbers":
            first.append((self.embedding,))
        return [
            first,
            *(
                cell.weight_shapes(inputs, self.units, self.cell_options)
                for inputs in (self.embedding, *[width] * (self.layers - 1))
                for _ in range(self.directions)
            ),
            [(width, outputs), (outputs,)],
        ]


@dataclass(frozen=True)
class TrainConfig(Config):
    """The length and the optimisation of a training run; either `minutes` or `epochs` is set.

    >>> TrainConfig(minutes=3).window
    64
    """

    minutes: float | None = None  # wall-clock time of the whole run
    epochs: float | None = None  # passes over the training part
    batch_size: int = 32  # sequences in a batch
    window: int = 64  # tokens through which gradients are propagated back
    learning_rate: float = 6e-3  # highest value of the schedule
    recurrent_dropout: float = 0.0  # share of each layer's recurrent weights to drop
    token_dropout: float = 0.0  # share of the tokens to replace by `<unk>`, of whole sequences
    weight_decay: float = 0.0  # decoupled; applied to matrices, not to biases
    clip_norm: float = 1.0  # largest global norm of the gradients
    precision: str = "float32"  # of the matrix products, one of PRECISIONS
    seed: int = 0  # of the weights, the batches and dropout
    reserved: float = 0.0  # share of the training part on which only mixing weights are fitted

    def __post_init__(self) -> None:
        require(
            self.precision in PRECISIONS,
            "precision",
            f"one of {', '.join(PRECISIONS)}",
            self.precision,
        )
        if (self.minutes is None) == (self.epochs is None):
            raise ConfigError(
                f"expected either minutes or epochs, got minutes {self.minutes} "
                f"and epochs {self.epochs}"
            )
        for name, most in MOST_OF_TRAINING.items():
            value = getattr(self, name)
            if value is not None or name not in ("minutes", "epochs"):
                require_positive(name, value, most, zero=name == "weight_decay")
        require_fraction("recurrent_dropout", self.recurrent_dropout)
        require_fraction("reserved", self.reserved)
        require_fraction("token_dropout", self.token_dropout)
        require_whole("batch_size", self.batch_size, 1, MOST_IN_A_BATCH)
        require_whole("window", self.window, 1, MOST_IN_A_BATCH)
        require_whole("seed", self.seed, 0)
        require(self.seed < 2**32, "seed", "a whole number below 4,294,967,296", self.seed)

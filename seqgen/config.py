"""The options of a network, of a training run and of sampling, validated when created."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from seqgen.errors import ConfigError

CELLS = ("lstm", "gru", "simple_rnn")
PRECISIONS = ("float32", "bfloat16", "float16")
SIZES = {"auto": None, "small": 128, "medium": 256, "large": 512}  # units

# Arguments of the Keras layer that the network sets itself, and why `cell_options` may not.
RESERVED_CELL_OPTIONS = {
    "units": "use units",
    "return_sequences": "every layer returns its sequence",
    "return_state": "every layer returns its state",
    "stateful": "the state is passed explicitly",
    "go_backwards": "reading backwards would reveal the token to predict",
    "unroll": "the window may have any length",
}

DEFAULT_ACTIVATIONS = {"activation": "tanh", "recurrent_activation": "sigmoid"}  # of Keras

C = TypeVar("C", bound="Config")


def _require(ok: bool, name: str, expected: str, value: object) -> None:
    if not ok:
        raise ConfigError(f"{name}: expected {expected}, got {value!r}")


def _require_whole(name: str, value: object, least: int) -> None:
    ok = isinstance(value, int) and not isinstance(value, bool) and value >= least
    _require(ok, name, f"a whole number of at least {least}", value)


def _require_share(name: str, value: object) -> None:
    _require(_is_number(value) and 0 <= value < 1, name, "a share of at least 0 and below 1", value)  # type: ignore[operator]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


@dataclass(frozen=True)
class Config:
    """Base of the configurations: equality, and a round trip through JSON."""

    def to_json(self) -> dict[str, Any]:
        """The fields as plain data for `json.dump`."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls: type[C], data: Mapping[str, Any]) -> C:
        """The inverse of `to_json`.

        Raises:
            ConfigError: a field is unknown or out of its range.

        >>> ModelConfig.from_json(ModelConfig(units=64).to_json()) == ModelConfig(units=64)
        True
        """
        unknown = sorted(set(data) - {each.name for each in dataclasses.fields(cls)})
        if unknown:
            raise ConfigError(f"{cls.__name__} has no field {', '.join(unknown)}")
        return cls(**data)

    def override(self: C, options: Mapping[str, Any]) -> C:
        """A copy with other values for the fields that `options` names; it may name others too.

        >>> ModelConfig(units=64).override({"layers": 2, "window": 32}).layers
        2
        """
        names = {each.name for each in dataclasses.fields(self)} & options.keys()
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

    cell: str = "lstm"  # one of CELLS
    units: int = 256  # units of each recurrent layer
    layers: int = 1  # number of stacked recurrent layers
    embedding: int = 64  # dimension of the token embedding
    dropout: float = 0.0  # share of each recurrent layer's outputs to drop in training
    cell_options: dict[str, Any] = field(default_factory=dict)  # further arguments of the layer

    @property
    def uses_default_activations(self) -> bool:
        """Whether the cell has the activations that Keras chooses: tanh, and sigmoid for gates.

        >>> ModelConfig(cell_options={"activation": "relu"}).uses_default_activations
        False
        """
        options = {**DEFAULT_ACTIVATIONS, **self.cell_options}
        return all(options[name] == value for name, value in DEFAULT_ACTIVATIONS.items())

    def __post_init__(self) -> None:
        _require(self.cell in CELLS, "cell", f"one of {', '.join(CELLS)}", self.cell)
        _require_whole("units", self.units, 1)
        _require_whole("layers", self.layers, 1)
        _require_whole("embedding", self.embedding, 1)
        _require_share("dropout", self.dropout)
        for name, why in RESERVED_CELL_OPTIONS.items():
            _require(name not in self.cell_options, "cell_options", f"no {name!r} ({why})", name)
        try:
            plain = json.loads(json.dumps(dict(self.cell_options)))
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"cell_options: expected values that JSON can hold, such as 'relu' or "
                f'{{"class_name": "L2", "config": {{"l2": 0.01}}}}: {error}'
            ) from error
        object.__setattr__(self, "cell_options", plain)


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
    weight_decay: float = 0.0  # decoupled; applied to matrices, not to biases
    clip_norm: float = 1.0  # largest global norm of the gradients
    precision: str = "float32"  # of the matrix products, one of PRECISIONS
    seed: int = 0

    def __post_init__(self) -> None:
        _require(
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
        for name in ("minutes", "epochs", "learning_rate", "clip_norm"):
            value = getattr(self, name)
            _require(
                value is None or (_is_number(value) and 0 < value < float("inf")),
                name,
                "a number above 0",
                value,
            )
        _require(
            _is_number(self.weight_decay) and 0 <= self.weight_decay < float("inf"),
            "weight_decay",
            "a number of at least 0",
            self.weight_decay,
        )
        _require_share("recurrent_dropout", self.recurrent_dropout)
        _require_whole("batch_size", self.batch_size, 1)
        _require_whole("window", self.window, 1)
        _require_whole("seed", self.seed, 0)
        _require(self.seed < 2**32, "seed", "a whole number below 4,294,967,296", self.seed)


@dataclass(frozen=True)
class SampleConfig(Config):
    """How tokens are sampled; `seqgen.sampling.sampler` documents the order of the steps.

    >>> SampleConfig(temperature=-1)
    Traceback (most recent call last):
    seqgen.errors.ConfigError: temperature: expected a number of at least 0, got -1
    """

    length: int = 500  # most tokens to generate; an end token comes earlier
    temperature: float = 0.8  # 0: the most likely token; 1: the distribution of the model
    temperature_schedule: tuple[float, ...] = ()  # one for each token, in a cycle
    top_k: int | None = None  # sample from the k most likely tokens
    top_p: float | None = None  # sample from the fewest tokens whose probabilities add up to p
    min_p: float | None = None  # sample from tokens at least p times as likely as the likeliest
    repetition_penalty: float = 1.0  # above 1: recent tokens become less likely
    repetition_window: int = 64  # number of recent tokens that are penalised
    beam: int | None = None  # width of a search for the most likely output; no sampling
    max_copy: int | None = None  # longest run that may be copied from the corpus
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "temperature_schedule", tuple(self.temperature_schedule))
        for name, each in (
            ("temperature", self.temperature),
            *(("temperature_schedule", each) for each in self.temperature_schedule),
        ):
            ok = _is_number(each) and 0 <= each < float("inf")
            _require(ok, name, "a number of at least 0", each)
        for name in ("top_p", "min_p"):
            value = getattr(self, name)
            ok = value is None or (_is_number(value) and 0 < value <= 1)
            _require(ok, name, "a probability above 0 and at most 1", value)
        ok = _is_number(self.repetition_penalty) and 0 < self.repetition_penalty < float("inf")
        _require(ok, "repetition_penalty", "a number above 0", self.repetition_penalty)
        for name in ("top_k", "beam", "max_copy"):
            if getattr(self, name) is not None:
                _require_whole(name, getattr(self, name), 1)
        _require_whole("repetition_window", self.repetition_window, 1)
        if self.repetition_penalty == 1 and self.repetition_window != type(self).repetition_window:
            raise ConfigError(
                "repetition_window: expected a repetition_penalty too, got none; set it above 1"
            )
        _require_whole("length", self.length, 0)
        _require_whole("seed", self.seed, 0)
        if self.beam is not None:
            self._require_nothing_to_draw()

    def _require_nothing_to_draw(self) -> None:
        """A beam search samples nothing, so that options of sampling would have no effect."""
        for each in dataclasses.fields(self):
            draws = each.name not in ("length", "beam", "max_copy", "seed")
            if draws and getattr(self, each.name) != each.default:
                option = each.name.replace("_", " ")
                raise ConfigError(
                    f"beam: a beam search samples nothing, so {option} would have no effect; "
                    "leave out one of them"
                )

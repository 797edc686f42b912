"""The options of a model, of a training run and of sampling, validated once."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from seqgen.errors import ConfigError

CELLS = ("lstm", "gru", "simple_rnn")
PRECISIONS = ("float32", "bfloat16", "float16")
SIZES = {"auto": None, "small": 128, "medium": 256, "large": 512}  # units; `auto` chooses

# What the network decides by itself; a `cell_options` entry of that name would break it.
RESERVED_CELL_OPTIONS = {
    "units": "use units",
    "return_sequences": "every layer returns its sequence",
    "return_state": "the state is always carried",
    "stateful": "the state is always carried",
    "go_backwards": "a model that reads backwards would see what it has to predict",
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
    _require(_is_number(value) and 0 <= value < 1, name, "a share from 0 up to, but not, 1", value)  # type: ignore[operator]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


@dataclass(frozen=True)
class Config:
    """Base of the configurations: equality, and a round trip through JSON."""

    def to_json(self) -> dict[str, Any]:
        """The fields as plain data that `json.dump` takes."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls: type[C], data: Mapping[str, Any]) -> C:
        """The configuration that `to_json` came from.

        Raises:
            ConfigError: a field is unknown or out of its range.

        >>> ModelConfig.from_json(ModelConfig(units=64).to_json()) == ModelConfig(units=64)
        True
        """
        unknown = sorted(set(data) - {each.name for each in dataclasses.fields(cls)})
        if unknown:
            raise ConfigError(f"{cls.__name__} has no field {', '.join(unknown)}")
        return cls(**data)


@dataclass(frozen=True)
class ModelConfig(Config):
    """What the network is made of.

    >>> ModelConfig(cell="gru", units=128, cell_options={"reset_after": False}).layers
    1
    >>> ModelConfig(units=0)
    Traceback (most recent call last):
    seqgen.errors.ConfigError: units: expected a whole number of at least 1, got 0
    """

    cell: str = "lstm"  # one of CELLS
    units: int = 256  # width of each recurrent layer
    layers: int = 1  # recurrent layers, one upon the other
    embedding: int = 64  # width of the vector that stands for a token
    dropout: float = 0.0  # share of each recurrent layer's outputs dropped in training
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
    """How a network is trained. The run is as long as `minutes` or `epochs`, whichever is given.

    >>> TrainConfig(minutes=3).window
    64
    """

    minutes: float | None = None  # wall-clock time of the whole run
    epochs: float | None = None  # passes over the training part
    batch_size: int = 32  # streams read side by side
    window: int = 64  # tokens through which a gradient flows back
    learning_rate: float = 6e-3  # its highest value, after the warm-up
    recurrent_dropout: float = 0.0  # share of each layer's recurrent weights dropped
    weight_decay: float = 0.0  # share of the learning rate by which matrices shrink
    clip_norm: float = 1.0  # longest gradient, all weights together
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
    """How tokens are drawn; in which order these act, `seqgen.sampling.sampler` says.

    >>> SampleConfig(temperature=-1)
    Traceback (most recent call last):
    seqgen.errors.ConfigError: temperature: expected a number of at least 0, got -1
    """

    length: int = 500  # tokens at the most; fewer where an end token comes first
    temperature: float = 0.8  # 0 takes the likeliest token; 1 is the model's own distribution
    temperature_schedule: tuple[float, ...] = ()  # one for each token, again and again, instead
    top_k: int | None = None  # draw from so many of the likeliest tokens
    top_p: float | None = None  # draw from the likeliest that are so probable together
    min_p: float | None = None  # draw from those at least so many times as likely as the likeliest
    repetition_penalty: float = 1.0  # above 1 makes less likely what came lately
    repetition_window: int = 64  # how many tokens back that is
    beam: int | None = None  # look for the likeliest output, so many side by side, and draw nothing
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
            _require(ok, name, "a probability above 0, 1 at the most", value)
        ok = _is_number(self.repetition_penalty) and 0 < self.repetition_penalty < float("inf")
        _require(ok, "repetition_penalty", "a number above 0", self.repetition_penalty)
        for name in ("top_k", "beam", "max_copy"):
            if getattr(self, name) is not None:
                _require_whole(name, getattr(self, name), 1)
        _require_whole("repetition_window", self.repetition_window, 1)
        if self.repetition_penalty == 1 and self.repetition_window != type(self).repetition_window:
            raise ConfigError(
                "repetition_window: does nothing without a penalty; set a repetition penalty too"
            )
        _require_whole("length", self.length, 0)
        _require_whole("seed", self.seed, 0)
        if self.beam is not None:
            self._require_nothing_to_draw()

    def _require_nothing_to_draw(self) -> None:
        """A beam takes what is likeliest: options of drawing would do nothing."""
        for each in dataclasses.fields(self):
            draws = each.name not in ("length", "beam", "max_copy", "seed")
            if draws and getattr(self, each.name) != each.default:
                option = each.name.replace("_", " ")
                raise ConfigError(
                    f"beam: looks for the likeliest output and draws nothing, so {option} would "
                    "do nothing; leave one of them out"
                )

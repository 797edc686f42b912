"""The options of generation, validated once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from seqgen.config import Config
from seqgen.errors import ConfigError
from seqgen.sampling.filters import FILTERS, require_valid
from seqgen.utils.validate import require_positive, require_whole

MOST_TEMPERATURE = 1_000_000
MOST_PENALTY = 1_000_000
MOST_STRENGTH = 100
RANGES = {  # of whole numbers
    "beam": (1, 1000),
    "max_copy": (1, 1_000_000_000),
    "repetition_window": (1, 100_000),
    "length": (0, 1_000_000_000),
    "seed": (0, 2**64 - 1),
}


@dataclass(frozen=True, init=False)
class SampleConfig(Config):
    """How tokens are drawn. `seqgen.sampling.sampler` says in which order the options act.

    Every filter of `seqgen.sampling.filters` is an argument, too.

    Raises:
        ConfigError: an option is unknown, out of range, or excludes another one.

    >>> SampleConfig(temperature=1, top_k=3).filters
    {'top_k': 3}
    >>> SampleConfig(temperature=-1)
    Traceback (most recent call last):
    seqgen.errors.ConfigError: temperature: expected a number of at least 0, got -1
    """

    length: int = 500  # maximum number of tokens; an end token may come first
    temperature: float = 0.8  # 0: the most likely token; 1: the distribution of the model
    temperature_schedule: tuple[float, ...] = ()  # temperature of each token, in a cycle
    repetition_penalty: float = 1.0  # above 1: recent tokens become less likely
    repetition_window: int = 64  # number of recent tokens that are penalised
    repeat_strength: float = 1.0  # weight of what the output has had before; 0 ignores it
    beam: int | None = None  # width of a beam search, which draws nothing
    max_copy: int | None = None  # longest run that may be copied from the corpus
    seed: int = 0  # of the random numbers
    filters: Mapping[str, float] = field(default_factory=dict)  # name → value

    def __init__(self, **options: object) -> None:
        given = options.pop("filters", {})
        if not isinstance(given, Mapping):
            raise ConfigError(f"filters: expected values by name, got {given!r}")
        filters = dict(given)
        filters.update((name, options.pop(name)) for name in FILTERS if name in options)
        known = {option.name: option.default for option in dataclasses.fields(self)}
        for name in options.keys() - known:
            raise ConfigError(
                f"expected options of generation, got {name!r}; use {', '.join(option_names())}"
            )
        for name, default in known.items():
            object.__setattr__(self, name, options.get(name, default))
        active = {name: filters[name] for name in FILTERS if filters.get(name) is not None}
        object.__setattr__(self, "filters", active)
        object.__setattr__(self, "temperature_schedule", tuple(self.temperature_schedule))
        self._validate()

    def _validate(self) -> None:
        for name, values in (
            ("temperature", (self.temperature,)),
            ("temperature_schedule", self.temperature_schedule),
        ):
            for value in values:
                require_positive(name, value, MOST_TEMPERATURE, zero=True)
        for name, value in self.filters.items():
            require_valid(name, value)
        penalty = self.repetition_penalty
        require_positive("repetition_penalty", penalty, MOST_PENALTY)
        require_positive("repeat_strength", self.repeat_strength, MOST_STRENGTH, zero=True)
        for name, (least, most) in RANGES.items():
            if getattr(self, name) is not None or name not in ("beam", "max_copy"):
                require_whole(name, getattr(self, name), least, most)
        if penalty == 1 and self.repetition_window != type(self).repetition_window:
            raise ConfigError(
                "repetition_window: expected a repetition_penalty too, got none; set it above 1"
            )
        if self.beam is not None:
            self._require_no_sampling()

    def _require_no_sampling(self) -> None:
        """A beam search draws nothing, so options of drawing would have no effect."""
        drawing = {
            option.name: getattr(self, option.name) != option.default
            for option in dataclasses.fields(self)
            if option.name
            not in ("length", "beam", "max_copy", "repeat_strength", "seed", "filters")
        }
        for name, is_set in {**drawing, **dict.fromkeys(self.filters, True)}.items():
            if is_set:
                raise ConfigError(
                    f"beam: searches for the most likely output and draws nothing, so "
                    f"{name.replace('_', ' ')} would have no effect; leave one of them out"
                )


def option_names() -> list[str]:
    """The names of all arguments of `SampleConfig`, sorted.

    >>> {"length", "seed", "top_k"} <= set(option_names())
    True
    """
    own = {option.name for option in dataclasses.fields(SampleConfig)} - {"filters"}
    return sorted(own | FILTERS.keys())

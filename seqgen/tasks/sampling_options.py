"""Options of generation: those that all tasks share, and those of one task."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from seqgen.errors import ConfigError
from seqgen.tasks import base

if TYPE_CHECKING:
    from seqgen.sampling.config import SampleConfig


def require_own_options(name: str, options: Iterable[str]) -> None:
    """Raise `ConfigError` for an option of generation that belongs to another task.

    Args:
        name: of the model's task.
        options: names of parameters.

    >>> require_own_options("text", ["seed", "prompt"])
    """
    from seqgen.sampling.config import option_names

    # All tasks share the fields of SampleConfig, except the length: tasks define their own.
    shared = set(option_names()) - {"length"}
    foreign = set(options) - shared - base.get(name).generation_options.keys()
    for other in base.names() if foreign else ():  # so that other tasks are imported on errors only
        spellings = base.get(other).generation_options
        for option in sorted(foreign & spellings.keys()):
            raise ConfigError(
                f"{spellings[option]} applies to models of {other}, this is a model of {name}; "
                "leave it out"
            )


def new_seed() -> int:
    """A random seed, for users who gave none."""
    return secrets.randbelow(2**31)


def sample_config(
    length: int, temperature: float | None, seed: int | None, options: Mapping[str, object]
) -> SampleConfig:
    """The `SampleConfig` of a generator's options.

    Args:
        length: the largest number of tokens.
        temperature: None for the default of `SampleConfig`.
        seed: None for a random one.
        options: other fields of `SampleConfig`.

    Raises:
        ConfigError: an option is unknown or out of range, or options exclude each other.

    >>> sample_config(10, None, 1, {"top_k": 3}).filters
    {'top_k': 3}
    """
    from seqgen.sampling.config import SampleConfig

    options = dict(options)
    if temperature is not None:
        if options.get("temperature_schedule"):
            raise ConfigError(
                "temperature: expected either temperature or temperature_schedule, got both; "
                "leave one out"
            )
        options["temperature"] = temperature
    seed = new_seed() if seed is None else seed
    return SampleConfig(**{"length": length, "seed": seed, **options})

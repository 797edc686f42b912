"""What commands ask of a task, and what it answers, as plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from seqgen.types import Floats, Json


class Inspection(NamedTuple):
    """The description of one file."""

    facts: dict[str, Any]  # plain data; `file`, and `kept`: whether it can be used
    line: str  # the same for people, without the name of the file


class Baseline(NamedTuple):
    """The score of a simple model, for comparison."""

    name: str  # to follow "the", such as "best 5-gram"
    nats: float  # the sum of the losses of all scored tokens


@dataclass(frozen=True)
class GenerationRequest:
    """What `seqgen generate` should generate, and where it should write it."""

    options: Json  # of generation, those that were given, and a seed
    count: int  # number of sequences
    output: str | None  # the value of `-o`; None if it was not given
    as_json: bool  # print a line of JSON per sequence on stdout
    say: Callable[[str], None]  # shows a message to the user


@dataclass(frozen=True)
class ClassificationRequest:
    """What `seqgen classify` should classify."""

    given: tuple[str, ...]  # texts, paths, or `-` for standard input
    options: Json  # of reading, those that were given
    explain: bool  # whether to follow the probabilities along every sequence
    say: Callable[[str], None]  # shows a message to the user


@dataclass(frozen=True, eq=False)
class Classified:
    """A sequence and its label."""

    content: str | Floats  # a text, or a series (T, D)
    label: str
    probabilities: dict[str, float]  # of every label, the most probable one first
    steps: list[str] | None = None  # the tokens, or the numbers of the steps, if explained
    course: dict[str, list[float]] | None = None  # label → its probability after every step

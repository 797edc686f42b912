"""What a model file of images says about its corpus: the checks of `options` and `details`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from seqgen.errors import ConfigError
from seqgen.tasks.images.colours import MOST_COLOURS
from seqgen.tasks.images.corpus import parse_size
from seqgen.tasks.images.grid import Grid
from seqgen.utils import schema
from seqgen.vocabulary import Vocabulary


def _size(value: Any) -> None:
    schema.text(20)(value)
    try:
        parse_size(value)
    except ConfigError:
        schema.require(False, "a size such as 16x16", value)


def _colour(value: Any) -> None:
    is_colour = isinstance(value, str) and re.fullmatch("#[0-9a-f]{6}", value) is not None
    schema.require(is_colour, "a colour such as #ff8000", value)


METADATA = schema.record(
    {
        "options": schema.record(
            {"image_size": _size, "colours": schema.sequence(_colour, MOST_COLOURS, least=1)},
            {"augment": schema.flag},
        ),
        "details": schema.record({"pictures": schema.integer()}),
    },
    others=schema.anything,  # of all tasks, and checked already
)


def grid_of(metadata: Mapping[str, Any]) -> Grid:
    """The size and the colours of the pictures of a model."""
    options = metadata["options"]
    return Grid(*parse_size(options["image_size"]), tuple(options["colours"]))


def require_valid(metadata: Mapping[str, Any], vocabulary: Vocabulary) -> None:
    """Raise `ValueError` unless pictures can be generated with these metadata and tokens.

    >>> require_valid({"options": {}}, Vocabulary(("<end>",)))
    Traceback (most recent call last):
    seqgen.utils.schema.SchemaError: corpus: 'details' is missing
    """
    schema.check_at("corpus", METADATA, metadata)
    colours = metadata["options"]["colours"]
    is_distinct = len(set(colours)) == len(colours)
    schema.require(is_distinct, "distinct colours", colours, "corpus.options.colours")
    expected = grid_of(metadata).vocabulary.tokens
    for i, token in enumerate(vocabulary.tokens):
        wanted = expected[i] if i < len(expected) else "no more tokens"
        schema.require(token == wanted, wanted, token, f"vocabulary[{i}]")
    schema.require(
        len(vocabulary) == len(expected), f"{len(expected)} tokens", len(vocabulary), "vocabulary"
    )

"""What a model file of music says about its corpus: the checks of `options` and `details`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from seqgen.errors import MusicError
from seqgen.music.signatures import MODES, Key, Meter
from seqgen.music.tokens.codec import ENCODINGS, Codec
from seqgen.tasks.music.corpus import TRANSPOSE
from seqgen.utils import schema
from seqgen.vocabulary import END, Vocabulary

MOST_KEYS = 1000  # more than there are spellings of keys
HIGHEST_TEMPO = 1e9  # quarters a minute that any file may state
DEGREES = 12


def _signature(parse: Callable[[str], object], expected: str) -> schema.Check:
    """A text that names a meter or a key."""

    def check(value: Any) -> None:
        schema.text(20)(value)
        try:
            parse(value)
        except MusicError:
            schema.require(False, expected, value)

    return check


COUNT = schema.integer()
CODEC: Mapping[str, schema.Check] = {
    "encoding": schema.choice(ENCODINGS),
    "joint": schema.flag,
    "velocity": schema.flag,
}
METADATA = schema.record(
    {
        "options": schema.record(
            {
                "encoding": schema.choice(ENCODINGS),
                "transpose": schema.choice(TRANSPOSE),
                "velocity": schema.flag,
                "expand_repeats": schema.flag,
                "voices": schema.optional(schema.integer()),
            }
        ),
        "details": schema.record(
            {
                "codec": schema.record(CODEC),
                "pieces": COUNT,
                "notes": COUNT,
                "tempo": schema.optional(schema.number(0, HIGHEST_TEMPO)),
                "program": schema.integer(0, 127),
                "keys": schema.mapping(
                    schema.integer(1), MOST_KEYS, name=_signature(Key.parse, "a key")
                ),
                "meter": _signature(Meter.parse, "a meter"),
            },
            {
                "notes_per_validation_token": schema.optional(schema.number(0, 1)),
                "closes": schema.mapping(
                    schema.sequence(COUNT, DEGREES, least=DEGREES), len(MODES), schema.choice(MODES)
                ),
            },
        ),
    },
    others=schema.anything,  # of all tasks, and checked already
)


def require_valid(metadata: Mapping[str, Any], vocabulary: Vocabulary) -> None:
    """Raise `ValueError` unless music can be generated with these metadata and tokens.

    >>> require_valid({"options": {}}, Vocabulary(("<end>",)))
    Traceback (most recent call last):
    seqgen.utils.schema.SchemaError: corpus: 'details' is missing
    """
    schema.check_at("corpus", METADATA, metadata)
    options, codec = metadata["options"], metadata["details"]["codec"]
    for name in ("encoding", "velocity"):
        place = f"corpus.details.codec.{name}"
        schema.require(codec[name] == options[name], repr(options[name]), codec[name], place)
    schema.require(END in vocabulary.ids, f"the token {END}", "none", "vocabulary")
    knows = Codec(**codec).knows
    for i, token in enumerate(vocabulary.tokens):
        expected = f"a token of the encoding {codec['encoding']}"
        schema.require(token == END or knows(token), expected, token, f"vocabulary[{i}]")

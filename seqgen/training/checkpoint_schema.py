"""What a checkpoint file must say: types and bounds of every field, before any is used.

Whether it belongs to the run that resumes it is checked where it is used: `checkpoint.require_same`
and the `load_state_dict` of the parts of the state.
"""

from __future__ import annotations

from seqgen.config import ModelConfig
from seqgen.model_file import HISTORY, LONGEST, MOST_TOKENS, TOKENS
from seqgen.training.checkpoint import Arrays
from seqgen.types import Json
from seqgen.utils.schema import (
    any_number,
    mapping,
    number,
    optional,
    record,
    require,
    sequence,
    text,
    whole,
)  # fmt: skip

MOST_SECONDS = 1e10
MOST_STREAMS = 1 << 20


def _plain(value: object) -> None:
    """An object that is compared with that of the run, and not used."""
    require(isinstance(value, dict), "an object", value)


RANDOM = record(  # of NumPy's PCG64
    {
        "bit_generator": text(20),
        "state": record({"state": whole(0, 2**128 - 1), "inc": whole(0, 2**128 - 1)}),
        "has_uint32": whole(0, 1),
        "uinteger": whole(0, 2**32 - 1),
    }
)
SECONDS = number(0, MOST_SECONDS)
PLACE = record(
    {
        "step": whole(),
        "training_loss": any_number,
        "history": sequence(HISTORY, LONGEST),
        "schedule": record({"elapsed": SECONDS, "stepping": SECONDS, "reserved": SECONDS}),
        "batches": record(
            {"random": RANDOM},
            {
                "positions": sequence(whole(), MOST_STREAMS, least=1),
                "carry": sequence(number(0, 1), MOST_STREAMS, least=1),
                "rows": sequence(
                    sequence(whole(0, MOST_TOKENS), MOST_STREAMS), MOST_STREAMS, least=1
                ),
                "taken": whole(),
                "before_shuffle": RANDOM,
            },
        ),
        "best_weights": record(
            {
                "loss": optional(any_number),
                "best_loss": optional(any_number),
                "speed": any_number,
                "scored_tokens": whole(),
                "step": whole(),
                "fraction": number(0, 1),
                "ended": SECONDS,
                "took": SECONDS,
            }
        ),
        "base": text(100),
        "chosen": text(LONGEST),
    }
)
CORPUS_OPTIONS = mapping(lambda value: None, most=100)
FACTS = record(
    {
        "model_config": _plain,
        "train_config": _plain,
        "corpus_options": CORPUS_OPTIONS,
        "corpus": record(
            {"task": text(100), "vocabulary": TOKENS},
            others=lambda value: None,
        ),
        "place": PLACE,
    },
    {"format_version": whole()},
)


def require_valid(facts: Json) -> None:
    """Raise `ValueError` unless a run can be resumed from these facts.

    >>> require_valid({"model_config": {}})
    Traceback (most recent call last):
    seqgen.utils.schema.SchemaError: 'train_config' is missing
    """
    FACTS(facts)


def require_weights(arrays: Arrays, config: ModelConfig, vocabulary_size: int) -> None:
    """Raise `ValueError` unless the variables begin with the weights of a network.

    Without them, a small file could ask for a network that does not fit into memory. Other
    variables, such as those of dropout, may lie between the weights.
    """
    shapes = iter([each.shape for each in arrays.get("variables", [])])
    for layer in config.weight_shapes(vocabulary_size):
        for shape in layer:
            if shape not in shapes:  # looks for it further on
                raise ValueError(f"variables: expected weights of shape {shape}, got none")

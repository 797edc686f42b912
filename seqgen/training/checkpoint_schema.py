"""What a checkpoint file must say: types and bounds of every field, before any is used.

Whether it belongs to the run that resumes it is checked where it is used: `checkpoint.require_same`
and the `load_state_dict` of the parts of the state.
"""

from __future__ import annotations

from seqgen.config import ModelConfig
from seqgen.model_file import HISTORY, LONGEST, MOST_TOKENS, TOKENS
from seqgen.training.checkpoint import Arrays
from seqgen.types import Json
from seqgen.utils import schema

MOST_SECONDS = 1e10
MOST_STREAMS = 1 << 20

RANDOM = schema.record(  # of NumPy's PCG64
    {
        "bit_generator": schema.text(20),
        "state": schema.record(
            {"state": schema.integer(0, 2**128 - 1), "inc": schema.integer(0, 2**128 - 1)}
        ),
        "has_uint32": schema.integer(0, 1),
        "uinteger": schema.integer(0, 2**32 - 1),
    }
)
SECONDS = schema.number(0, MOST_SECONDS)
PLACE = schema.record(
    {
        "step": schema.integer(),
        "training_loss": schema.any_number,
        "history": schema.sequence(HISTORY, LONGEST),
        "schedule": schema.record({"elapsed": SECONDS, "stepping": SECONDS, "reserved": SECONDS}),
        "batches": schema.record(
            {"random": RANDOM},
            {
                "positions": schema.sequence(schema.integer(), MOST_STREAMS, least=1),
                "carry": schema.sequence(schema.number(0, 1), MOST_STREAMS, least=1),
                "rows": schema.sequence(
                    schema.sequence(schema.integer(0, MOST_TOKENS), MOST_STREAMS),
                    MOST_STREAMS,
                    least=1,
                ),
                "taken": schema.integer(),
                "before_shuffle": RANDOM,
            },
        ),
        "best_weights": schema.record(
            {
                "loss": schema.optional(schema.any_number),
                "best_loss": schema.optional(schema.any_number),
                "speed": schema.any_number,
                "scored_tokens": schema.integer(),
                "step": schema.integer(),
                "fraction": schema.number(0, 1),
                "ended": SECONDS,
                "took": SECONDS,
            }
        ),
        "base": schema.text(100),
        "chosen": schema.text(LONGEST),
    },
    {
        "regularisation": schema.sequence(schema.number(0, 1), 3, least=3),
        "fixed": schema.sequence(schema.text(100), 100),
    },
)
FACTS = schema.record(
    {
        "model_config": schema.any_object,  # `ModelConfig` and `TrainConfig` check themselves
        "train_config": schema.any_object,
        "corpus_options": schema.mapping(schema.anything, most=100),  # compared, not used
        "corpus": schema.record(
            {"task": schema.text(100), "vocabulary": TOKENS},
            others=schema.anything,
        ),
        "place": PLACE,
    },
    {"format_version": schema.integer()},
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
    shapes = iter([array.shape for array in arrays.get("variables", [])])
    for layer in config.weight_shapes(vocabulary_size):
        for shape in layer:
            if shape not in shapes:  # looks for it further on
                raise ValueError(f"variables: expected weights of shape {shape}, got none")

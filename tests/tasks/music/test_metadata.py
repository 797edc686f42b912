"""What generation reads of the metadata in a model file is checked when the model is loaded."""

import copy
import json
from typing import Any

import pytest

from seqgen.tasks.music.metadata import require_valid
from seqgen.utils.schema import SchemaError
from seqgen.vocabulary import Vocabulary
from tests.fuzz.packing import saved

FACTS = json.loads(saved("music")[0])
TOKENS = FACTS["vocabulary"]


def test_a_saved_model_is_valid() -> None:
    require_valid(FACTS["corpus"], Vocabulary.from_json(TOKENS))


@pytest.mark.parametrize(
    "field, value",
    [
        ("tempo", "fast"), ("tempo", -1), ("tempo", float("nan")), ("program", 128),
        ("program", None), ("keys", {"X": 1}), ("keys", {"C": 0}), ("keys", {"C": "1"}),
        ("keys", []), ("meter", "4/5"), ("meter", None), ("closes", {"major": [1] * 11}),
        ("closes", {"x": [1] * 12}), ("pieces", "1"), ("codec", {}),
        ("codec", {"encoding": "melody", "joint": 1, "velocity": False}),
        ("codec", {"encoding": "polyphony", "joint": True, "velocity": False}),
    ],
)  # fmt: skip
def test_wrong_details_are_named(field: str, value: object) -> None:
    corpus: dict[str, Any] = copy.deepcopy(FACTS["corpus"])
    corpus["details"][field] = value
    with pytest.raises(SchemaError, match=rf"corpus.details.{field}"):
        require_valid(corpus, Vocabulary.from_json(TOKENS))
    del corpus["details"][field]
    if field != "closes":  # files of older versions have none
        with pytest.raises(SchemaError, match=f"corpus.details: '{field}' is missing"):
            require_valid(corpus, Vocabulary.from_json(TOKENS))


@pytest.mark.parametrize("token", ["duration:1000000000", "meter:99/98", "lane:3", "x", "key:Z"])
def test_unknown_tokens_are_named(token: str) -> None:
    with pytest.raises(
        SchemaError, match=r"vocabulary\[25\]: expected a token of the encoding melody"
    ):
        require_valid(FACTS["corpus"], Vocabulary((*TOKENS, token)))


def test_pieces_need_an_end() -> None:
    with pytest.raises(SchemaError, match="vocabulary: expected the token <end>"):
        require_valid(FACTS["corpus"], Vocabulary(tuple(TOKENS[1:])))

"""Arrays and bytes as a page holds them."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.config import ModelConfig
from seqgen.errors import ConfigError
from seqgen.sharing.payload import ESCAPE, SHIFT, UNSAFE, characters, planes, require_shareable


def unescaped(data: bytes) -> bytes:
    """What `unescapeBytes` of payload.js does."""
    found, rest = bytearray(), iter(data)
    for byte in rest:
        found.append((next(rest) - SHIFT) % 256 if byte == ESCAPE else byte)
    return zlib.decompress(bytes(found))


@given(st.binary(max_size=2000))
def test_bytes_survive_the_page(data: bytes) -> None:
    stored = characters(data)
    assert unescaped(stored) == data
    assert not {byte for byte in stored if byte != ESCAPE} & {*UNSAFE}


def test_planes_begin_with_the_lowest_bytes() -> None:
    array = np.arange(0, 3000, 7, np.int32)
    stored = np.frombuffer(planes(array), np.uint8).reshape(4, -1)
    assert np.array_equal(stored.T.copy().view("<i4").ravel(), array)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 20}, "units: expected a multiple of 16"),
        ({"cell_options": {"activation": "relu"}}, "cell_options: expected tanh"),
        ({"cell": "gru", "cell_options": {"reset_after": False}}, "reset_after"),
        ({"units": 2048, "cell": "lstm"}, "vocabulary: expected at most 2,048 tokens"),
    ],
)
def test_what_the_engine_lacks_is_an_error(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        require_shareable(ModelConfig(**options), vocabulary_size=3000)

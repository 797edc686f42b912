import pytest

from seqgen.config import SIZES
from seqgen.errors import ConfigError
from seqgen.training.request import normalise_options


@pytest.mark.parametrize("size", SIZES)
def test_a_size_is_so_many_units_but_units_that_are_given_stay(size: str) -> None:
    expected = {} if size == "auto" else {"units": SIZES[size]}
    assert normalise_options({"size": size, "cell": None}) == expected
    assert normalise_options({"size": size, "units": 7}) == {"units": 7}


def test_nothing_and_auto_say_nothing() -> None:
    assert normalise_options({"size": None, "precision": "auto", "dropout": None}) == {}
    assert normalise_options({"precision": "float32", "dropout": 0.0}) == {
        "precision": "float32",
        "dropout": 0.0,
    }
    with pytest.raises(ConfigError, match="size: expected one of auto, small, medium, large, got"):
        normalise_options({"size": "huge"})

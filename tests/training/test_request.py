from pathlib import Path

import pytest

from seqgen.config import SIZES
from seqgen.errors import ConfigError, OutputError
from seqgen.training import output
from seqgen.training.request import RunRequest


@pytest.mark.parametrize("size", SIZES)
def test_size_sets_the_units_unless_they_are_explicit(size: str) -> None:
    expected = {} if size == "auto" else {"units": SIZES[size]}
    assert RunRequest({"size": size, "cell": None}).explicit_options == expected
    assert RunRequest({"size": size, "units": 7}).explicit_options == {"units": 7}


def test_none_and_auto_are_not_explicit() -> None:
    options = {"size": None, "precision": "auto", "dropout": None}
    assert RunRequest(options).explicit_options == {}
    options = {"precision": "float32", "dropout": 0.0}
    request = RunRequest(options)
    assert request.explicit_options == options
    assert (request.train_config.minutes, request.train_config.epochs) == (5.0, None)
    assert RunRequest({"epochs": 2, "minutes": None}).train_config.minutes is None


@pytest.mark.parametrize(
    "options, message",
    [
        ({"size": "huge"}, "size: expected one of auto, small, medium, large, got"),
        ({"units": 0}, "units: expected a whole number of at least 1, got 0"),
        ({"nonsense": 1}, "TrainConfig has no field nonsense"),
        ({"minutes": 1, "epochs": 1}, "expected either minutes or epochs"),
    ],
)
def test_wrong_options(options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RunRequest(options)


def test_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    for name, message in [("a.h5", "ends in .keras"), ("gone/a.keras", "there is no folder")]:
        with pytest.raises(OutputError, match=message):
            RunRequest({}, output=tmp_path / name)


def test_the_default_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert output.default_path("book", resume=False) == Path("book.keras")
    Path("book.keras").touch()
    assert output.default_path("book", resume=False) == Path("book-1.keras")
    assert output.default_path("book", resume=True) == Path("book.keras")
    Path("book-3.checkpoint").touch()
    assert output.default_path("book", resume=True) == Path("book-3.keras")
    Path("models").mkdir()
    assert output.default_path("book", resume=False) == Path("models/book.keras")

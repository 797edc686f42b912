"""Files of series: `.ts` of sktime and aeon, `.tsv` of the UCR archive, and `.npz` of NumPy."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from seqgen.corpus.sources import Source
from seqgen.errors import CorpusError, reason
from seqgen.tasks.labels.examples import Examples, Series
from seqgen.utils.archives import DAMAGED, open_archive

MISSING = {"?", "", "nan", "NaN", "NA"}
MOST_BYTES = 1 << 31  # of an array


def looks_like_ucr(head: bytes) -> bool:
    r"""Whether the first line of a `.tsv` is a label and numbers.

    >>> looks_like_ucr(b"1\t0.5\t-0.25\n"), looks_like_ucr(b"text\tlabel\tid\n")
    (True, False)
    """
    cells = head.decode("utf-8", "replace").partition("\n")[0].split("\t")
    return len(cells) >= 3 and all(_is_number(cell) for cell in cells[1:])


def looks_like_npz(head: bytes) -> bool:
    """Whether the first bytes are those of an archive that begins with `X` or `x_train`."""
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return head[:4] == b"PK\x03\x04" and name in (b"X.npy", b"x_train.npy")


def _is_number(cell: str) -> bool:
    return cell.strip() in MISSING or _number(cell) is not None


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _numbers(cells: list[str]) -> list[float]:
    """Numbers, NaN for those that are missing.

    Raises:
        ValueError: one is neither.
    """
    return [np.nan if cell.strip() in MISSING else float(cell) for cell in cells]


def read_ucr(source: Source, text: str) -> Examples:
    r"""Read a `.tsv` of the UCR archive: a label and numbers in every line; NaN pads at the end.

    >>> read_ucr(Source("a.tsv"), "1\t0.5\t0.25\tNaN\n").contents[0].ravel()
    array([0.5 , 0.25])
    """
    examples = Examples()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        label, *cells = line.split("\t")
        with _naming_line(source, number):
            series = np.array(_numbers(cells), float)[:, None]
        examples.add(_without_end(series), _label(label))
    return examples


def _without_end(series: Series) -> Series:
    """Without the steps at the end of which all numbers are missing."""
    there = np.flatnonzero(~np.isnan(series).all(axis=1))
    return series[: int(there[-1]) + 1 if len(there) else 0]


def _label(text: str) -> str:
    """A label; whole numbers are written without a decimal point.

    >>> _label("1.0"), _label("-1"), _label("idle")
    ('1', '-1', 'idle')
    """
    number = _number(text)
    return str(int(number)) if number is not None and number % 1 == 0 else text.strip()


@contextmanager
def _naming_line(source: Source, number: int) -> Iterator[None]:
    """Name the line in the error of a number that cannot be read."""
    try:
        yield
    except ValueError as error:
        raise CorpusError(
            f"{source.label}, line {number}: expected numbers and a label, got an error: "
            f"{reason(error)}; correct that line"
        ) from error


def read_ts(source: Source, text: str) -> Examples:
    r"""Read a `.ts` file: after a header, in every line the channels, separated by colons, and the
    label.

    Raises:
        CorpusError: a line cannot be read, or the file has time stamps or no labels.

    >>> file = "@classLabel true a b\n@data\n1,2,3:4,5,?:a\n"
    >>> read_ts(Source("x.ts"), file).contents[0].tolist()
    [[1.0, 4.0], [2.0, 5.0], [3.0, nan]]
    """
    examples, in_data, has_label = Examples(), False, False
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if not in_data:
            has_label |= _header(source, line)
            in_data = line.lower().startswith("@data")
            continue
        channels = line.split(":")
        label = _label(channels.pop()) if has_label else None
        with _naming_line(source, number):
            numbers = [_numbers(channel.split(",")) for channel in channels]
            examples.add(_from_channels(numbers), label)
    if not in_data:
        raise CorpusError(f"{source.label}: expected a line @data, got none; give a .ts file")
    return examples


def _header(source: Source, line: str) -> bool:
    """Whether a line of the header says that there are labels."""
    name, _, value = line.lower().partition(" ")
    if name == "@timestamps" and value.strip() == "true":
        raise CorpusError(
            f"{source.label}: expected series without time stamps; resample them to equal steps"
        )
    if name == "@targetlabel" and value.strip() == "true":
        raise CorpusError(
            f"{source.label}: expected labels, got numbers to predict (@targetLabel); choose "
            "another file"
        )
    return name == "@classlabel" and value.strip().startswith("true")


def _from_channels(channels: list[list[float]]) -> Series:
    """The channels of a series as columns; shorter ones are missing at their end."""
    series = np.full((max(map(len, channels), default=0), len(channels)), np.nan)
    for column, numbers in enumerate(channels):
        series[: len(numbers), column] = numbers
    return _without_end(series)


def read_npz(source: Source) -> tuple[Examples, Examples]:
    """Read an `.npz` with `X`, `(N, T)` or `(N, T, D)`, and `y` `(N,)`.

    It may have two parts instead: `x_train` and `y_train`, `x_test` and `y_test`. NaN is a missing
    number; the steps at the end of which all are missing are no part of a series.

    Returns:
        The examples for training, and those set apart.

    Raises:
        CorpusError: an array is missing, or has another shape or type.
    """
    try:
        with open_archive(source.path or source.data) as archive:
            names = {name.removesuffix(".npy") for name in archive.names}
            training = ("x_train", "y_train") if "x_train" in names else ("X", "y")
            return (
                _examples(*_arrays(source, names, *training, archive.read)),
                _examples(*_arrays(source, names, "x_test", "y_test", archive.read))
                if "x_test" in names
                else Examples(),
            )
    except (*DAMAGED, ValueError, zipfile.BadZipFile) as error:
        raise CorpusError(
            f"{source.label} cannot be read ({reason(error)}); save it with numpy.savez"
        ) from error


def _examples(x: Any, y: Any) -> Examples:
    examples = Examples()
    for series, label in zip(x, y, strict=True):
        columns = series[:, None] if series.ndim == 1 else series
        examples.add(_without_end(columns), None if label is None else _label(str(label)))
    return examples


def _arrays(
    source: Source, names: set[str], x_name: str, y_name: str, read: Callable[..., bytes]
) -> tuple[Any, Any]:
    """Series `(N, T)` or `(N, T, D)`, and labels `(N,)`, None where there are none."""
    if x_name not in names:
        raise CorpusError(
            f"{source.label}: expected the arrays X and y, got {', '.join(sorted(names))}; save "
            "them with numpy.savez(file, X=X, y=y)"
        )
    x = np.load(io.BytesIO(read(f"{x_name}.npy", MOST_BYTES)), allow_pickle=False)
    if x.ndim not in (2, 3) or x.dtype.kind not in "fiu":
        raise CorpusError(
            f"{source.label}: expected numbers {x_name} of shape (N, T) or (N, T, D), got "
            f"{x.dtype} of shape {x.shape}"
        )
    y: Any = [None] * len(x)
    if y_name in names:
        y = np.load(io.BytesIO(read(f"{y_name}.npy", MOST_BYTES)), allow_pickle=False)
    if len(y) != len(x):
        raise CorpusError(
            f"{source.label}: expected as many labels as series, got {len(y)} and {len(x)}"
        )
    return x.astype(float), y

"""Only arrays that are in the file itself are read; the kinds that are refused are fuzzed, too."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from seqgen.utils.hdf5 import Hdf5File
from tests.fuzz.packing import hdf5

ARRAY = np.arange(6, dtype=np.float32).reshape(2, 3)


def read(data: bytes) -> list[np.ndarray]:
    with Hdf5File(data) as file:
        return file.floats("g", [(2, 3)])


def test_arrays_are_read() -> None:
    (found,) = read(hdf5({"g/0": ARRAY}))
    assert (found == ARRAY).all() and found.dtype == np.float32


@pytest.mark.parametrize(
    "array, message",
    [
        (ARRAY.T, r"g/0: expected float32 of shape \(2, 3\), got float32 of shape \(3, 2\)"),
        (ARRAY.astype(">f4"), "got >f4"),
        (ARRAY.astype("f8"), "got float64"),
        (ARRAY * np.float32(np.nan), "g/0: expected numbers up to 1e.09, got NaN"),
        (ARRAY + np.float32(1e10), "g/0: expected numbers up to"),
    ],
)
def test_other_arrays_are_refused(array: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(hdf5({"g/0": array}))


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((2, 3), "f4")
    layout[...] = h5py.VirtualSource("other.h5", "x", (2, 3))
    file.create_virtual_dataset("g/0", layout)


SOFT, OUTSIDE = h5py.SoftLink("/x"), h5py.ExternalLink("o.h5", "x")


@pytest.mark.parametrize(
    "add, message",
    [
        (lambda file: file.__setitem__("g/0", SOFT), "g/0: expected the array itself"),
        (lambda file: file.__setitem__("g/0", OUTSIDE), "got a link"),
        (lambda file: file.__setitem__("g", OUTSIDE), "g: expected the array"),
        (_virtual, "stored in this file"),
        (
            lambda file: file.create_dataset(
                "g/0", (2, 3), "f4", external=[("/dev/zero", 0, h5py.h5f.UNLIMITED)]
            ),
            "stored in this file",
        ),
        (lambda file: file.create_dataset("g/0", data=ARRAY, compression="gzip"), "stored in this"),
        (lambda file: file.create_dataset("g/0", (2, 3), "f4"), "expected 24 bytes of numbers"),
        (lambda file: file.create_group("g/0"), "g/0: expected an array, got a group"),
        (lambda file: file.create_dataset("g/1", data=ARRAY), "g: expected 1 arrays, got 1"),
        (lambda file: None, "g is missing"),
    ],
)  # fmt: skip
def test_what_lies_elsewhere_is_refused(
    add: Callable[[h5py.File], object],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("other.h5", "o.h5"):
        with h5py.File(name, "w") as other:
            other["x"] = ARRAY
    with pytest.raises(ValueError, match=message):
        read(hdf5({"x": ARRAY}, add))

"""Arrays from the HDF5 file of a stranger: only what is in the file itself, of the right shape.

Importing this module imports h5py, so other modules do it only when they read a file.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from seqgen.types import Floats

LARGEST = 1e9  # of the numbers, so that sums of their products do not overflow
Shape = tuple[int, ...]


class Hdf5File:
    """An HDF5 file in memory.

    Links to other places or files, virtual datasets and external storage are refused: reading
    them would open files that the file names.

    Args:
        data: the content of the file.

    Raises:
        OSError: it is no HDF5 file.
    """

    def __init__(self, data: bytes) -> None:
        self._file = h5py.File(io.BytesIO(data), "r")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Hdf5File:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def names(self, path: str, most: int) -> list[str]:
        """The names of the members of a group.

        Raises:
            ValueError: it is missing, no group, or has more than `most` members.
        """
        group = self._group(path)
        if len(group) > most:
            raise ValueError(f"{path}: expected at most {most:,} members, got {len(group):,}")
        return list(group)

    def has(self, path: str, name: str) -> bool:
        """Whether a group has a member of that name; errors as for `names`."""
        return name in self._group(path)

    def floats(self, path: str, shapes: Sequence[Shape]) -> list[Floats]:
        """The arrays `0`, `1`, … of a group.

        Args:
            path: of the group.
            shapes: of its arrays, in order.

        Raises:
            ValueError: there are more or fewer arrays, or one has another shape or type, is not
                stored in the file, or holds NaN or numbers that are too large.
        """
        names = self.names(path, len(shapes) + 1)
        if sorted(names) != sorted(map(str, range(len(shapes)))):
            raise ValueError(f"{path}: expected {len(shapes)} arrays, got {', '.join(names)[:60]}")
        return [self._floats(f"{path}/{i}", shape) for i, shape in enumerate(shapes)]

    def _floats(self, path: str, shape: Shape) -> Floats:
        dataset = self._at(path)
        if not isinstance(dataset, h5py.Dataset):
            raise ValueError(f"{path}: expected an array, got a group")
        if dataset.shape != shape or dataset.dtype != np.float32:
            raise ValueError(
                f"{path}: expected float32 of shape {shape}, got {dataset.dtype} of shape "
                f"{dataset.shape}"
            )
        settings = dataset.id.get_create_plist()
        in_file = settings.get_layout() in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT)
        if not in_file or settings.get_external_count() or settings.get_nfilters():
            raise ValueError(f"{path}: expected numbers stored in this file, as they are")
        if dataset.id.get_storage_size() != dataset.nbytes:
            raise ValueError(f"{path}: expected {dataset.nbytes:,} bytes of numbers, got fewer")
        array = np.asarray(dataset, np.float32)
        if not np.abs(array).max(initial=0) <= LARGEST:  # NaN is not
            raise ValueError(f"{path}: expected numbers up to {LARGEST:g}, got NaN or larger ones")
        return array

    def _group(self, path: str) -> h5py.Group:
        group = self._at(path)
        if not isinstance(group, h5py.Group):
            raise ValueError(f"{path}: expected a group, got an array")
        return group

    def _at(self, path: str) -> Any:
        """The group or array of a path, followed link by link."""
        at: Any = self._file
        for name in path.split("/"):
            if not isinstance(at, h5py.Group) or name not in at:
                raise ValueError(f"{path} is missing")
            if not isinstance(at.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{path}: expected the array itself, got a link to another place")
            at = at[name]
        return at

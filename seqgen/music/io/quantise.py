"""Times of a file → the grid of 24 ticks per quarter.

Beats whose notes are all on the grid stay as they are, unless the file was played by hand. Another
beat is divided into equal steps of s ticks, with the s that has the lowest cost,

    cost(s) = mean over the notes that start in the beat of |start - nearest multiple of s|
              + penalty(s)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from seqgen.music.piece import TICKS_PER_QUARTER, Note

# Steps in ticks, and by how many ticks finer ones must be nearer to the notes on average.
STEPS = ((12, 0.0), (8, 0.5), (6, 0.35), (4, 0.9), (3, 0.8))
ON_GRID = 1e-3  # ticks; smaller differences are due to rounding
WRITTEN = 0.5  # share of notes on the grid below which a file counts as played by hand

Floats = npt.NDArray[np.float64]
PartKey = TypeVar("PartKey")
Row = tuple[int, int, int, int]  # start, end, pitch and velocity


@dataclass(frozen=True)
class Quantised(Generic[PartKey]):
    """Notes on the grid, and how far they were from it."""

    notes: dict[PartKey, list[Note]]
    moved: int  # number of notes whose start was off the grid
    mean_move: float  # mean distance of those in ticks


def quantise(parts: Mapping[PartKey, Sequence[Row]], division: int) -> Quantised[PartKey]:
    """Move notes to the grid.

    Args:
        parts: the notes of each part, in ticks of the file.
        division: ticks of the file per quarter.

    >>> quantise({"violin": [(0, 50, 67, 80), (101, 198, 69, 80)]}, division=100).notes
    {'violin': [Note(start=0, duration=12, pitch=67, velocity=80), \
Note(start=24, duration=24, pitch=69, velocity=80)]}
    """
    rows = np.array([note for notes in parts.values() for note in notes], np.float64)
    times = rows[:, :2] * (TICKS_PER_QUARTER / division)
    starts, ends = times.T
    beats = (times // TICKS_PER_QUARTER).astype(int)
    steps = _steps(starts, beats[:, 0], int(beats.max()) + 1)
    step = steps[beats[:, 0]]
    new_starts = np.rint(starts / step) * step
    # Ends are less exact than starts, since players shorten notes.
    end_step = np.where(steps[beats[:, 1]], steps[beats[:, 1]], step)
    end_step = np.where(end_step > 1, end_step, _finest(new_starts))
    end_step = np.where(_is_on_grid(ends), 1, end_step)
    new_ends = np.maximum(np.rint(ends / end_step) * end_step, new_starts + end_step)
    distances = np.abs(new_starts - starts)
    moved = ~_is_on_grid(starts)
    table = np.column_stack((new_starts, new_ends - new_starts, rows[:, 2:])).astype(int)
    notes = map(Note._make, table.tolist())
    return Quantised(
        {part: [next(notes) for _ in rows_of] for part, rows_of in parts.items()},
        int(moved.sum()),
        float(distances[moved].mean()) if moved.any() else 0.0,
    )


def _steps(starts: Floats, beats: npt.NDArray[np.int_], length: int) -> Floats:
    """Return the step of each beat `(length,)`: 1 to keep its notes, 0 if no note starts in it."""
    counts = np.bincount(beats, minlength=length)
    number = np.maximum(counts, 1)
    costs = [
        np.bincount(beats, np.abs(starts - np.rint(starts / step) * step), length) / number
        + penalty
        for step, penalty in STEPS
    ]
    best = np.array([float(step) for step, _ in STEPS])[np.argmin(costs, axis=0)]
    off_grid = np.bincount(beats, ~_is_on_grid(starts), length)
    if _is_on_grid(starts).mean() < WRITTEN:  # those that are on the grid are so by chance
        off_grid += 1
    return np.where(counts == 0, 0.0, np.where(off_grid == 0, 1.0, best))


def _is_on_grid(times: Floats) -> npt.NDArray[np.bool_]:
    return np.abs(times - np.rint(times)) <= ON_GRID


def _finest(starts: Floats) -> Floats:
    """Return the step for ends of notes whose starts are on the grid: binary, triplet or none.

    >>> _finest(np.array([6.0, 8.0, 7.0]))
    array([3., 4., 1.])
    """
    return np.where(starts % 3 == 0, 3.0, np.where(starts % 4 == 0, 4.0, 1.0))

"""Times of a file → the grid of 24 ticks per quarter.

In a file that was written on the grid, beats that are on it stay as they are. Elsewhere each beat
is put on the binary or triplet subdivision that fits its notes best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqgen.music.piece import TICKS_PER_QUARTER, Note

# Steps in ticks that a beat's notes may stand on, and what a finer one must gain: in ticks, by
# which its notes must be nearer on average.
STEPS = ((12, 0.0), (8, 0.5), (6, 0.35), (4, 0.9), (3, 0.8))
ON_GRID = 1e-3  # ticks that rounding may have moved what was written on the grid
WRITTEN = 0.5  # share of starts on the grid, in a file that was not played

Floats = npt.NDArray[np.float64]


class Quantised(NamedTuple):
    """The notes of every part on the grid, and what that moved."""

    notes: dict[Any, list[Note]]
    moved: int  # notes whose start was off the grid
    mean_move: float  # of these, in ticks


def quantise(parts: Mapping[Any, Sequence[Any]], division: int) -> Quantised:
    """Put notes on the grid.

    Args:
        parts: of each part the notes as (start, end, pitch, velocity), in ticks of the file.
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
    # An end is cut short more often than it is meant: unless it is on the grid, as the beat is.
    end_step = np.where(steps[beats[:, 1]], steps[beats[:, 1]], step)
    end_step = np.where(end_step > 1, end_step, _finest(new_starts))
    end_step = np.where(_is_on_grid(ends), 1, end_step)
    new_ends = np.maximum(np.rint(ends / end_step) * end_step, new_starts + end_step)
    moves = np.abs(new_starts - starts)
    moved = ~_is_on_grid(starts)
    table = np.column_stack((new_starts, new_ends - new_starts, rows[:, 2:])).astype(int)
    notes = map(Note._make, table.tolist())
    return Quantised(
        {part: [next(notes) for _ in each] for part, each in parts.items()},
        int(moved.sum()),
        float(moves[moved].mean()) if moved.any() else 0.0,
    )


def _steps(starts: Floats, beats: npt.NDArray[np.int_], length: int) -> Floats:
    """The step of each beat `(length,)`: 1 where all is on the grid, 0 where nothing starts."""
    counts = np.bincount(beats, minlength=length)
    number = np.maximum(counts, 1)
    costs = [
        np.bincount(beats, np.abs(starts - np.rint(starts / step) * step), length) / number + gain
        for step, gain in STEPS
    ]
    best = np.array([float(step) for step, _ in STEPS])[np.argmin(costs, axis=0)]
    off_grid = np.bincount(beats, ~_is_on_grid(starts), length)
    if _is_on_grid(starts).mean() < WRITTEN:  # by chance one note in twenty is, at 480 ticks
        off_grid += 1
    return np.where(counts == 0, 0.0, np.where(off_grid == 0, 1.0, best))


def _is_on_grid(times: Floats) -> npt.NDArray[np.bool_]:
    return np.abs(times - np.rint(times)) <= ON_GRID


def _finest(starts: Floats) -> Floats:
    """What ends step by where starts are on the grid: as those do, binary or in triplets.

    >>> _finest(np.array([6.0, 8.0, 7.0]))
    array([3., 4., 1.])
    """
    return np.where(starts % 3 == 0, 3.0, np.where(starts % 4 == 0, 4.0, 1.0))

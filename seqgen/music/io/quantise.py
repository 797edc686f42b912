"""Times of a file → the grid of 24 ticks per quarter.

A time is on the grid if it is at most one tick of the file away, since programs round to ticks, and
some write everything one tick late. Beats whose notes are all on the grid stay as they are, unless
the file was played by hand. Another beat is divided into equal steps of s ticks, with the s of
lowest cost,

    cost(s) = mean over the notes that start in the beat of |start - nearest multiple of s|
              + penalty(s)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqgen.music.piece import TICKS_PER_QUARTER

# Steps in ticks, and by how many ticks finer ones must be nearer to the notes on average.
STEPS = ((12, 0.0), (8, 0.5), (6, 0.35), (4, 0.9), (3, 0.8))
ON_GRID = 0.125  # ticks, the farthest that a tick of the file counts as rounding
FLOAT_ERROR = 1e-3  # ticks, more than products of floats are off
WRITTEN = 0.5  # share of notes on the grid below which a file counts as played by hand

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Quantised:
    """Notes on the grid, and how far they were from it."""

    starts: Ints  # ticks, (N,)
    durations: Ints  # ticks, (N,)
    moved: int  # number of notes whose start was off the grid
    mean_move: float  # mean distance of those in ticks


def quantise(starts: Ints, ends: Ints, division: int) -> Quantised:
    """Move notes to the grid.

    Args:
        starts: when notes begin `(N,)`, in ticks of the file.
        ends: when they end `(N,)`.
        division: ticks of the file per quarter.

    >>> quantised = quantise(np.array([0, 101]), np.array([50, 198]), division=100)
    >>> quantised.starts, quantised.durations
    (array([ 0, 24]), array([12, 24]))
    """
    scale = TICKS_PER_QUARTER / division
    exact, exact_ends = starts.astype(np.float64) * scale, ends.astype(np.float64) * scale
    beats, end_beats = starts // division, ends // division
    rounding = min(scale, ON_GRID) + FLOAT_ERROR
    is_on_grid = _is_on_grid(exact, rounding)
    steps = _steps(exact, is_on_grid, beats, int(end_beats.max()) + 1)
    step = steps[beats]
    new_starts = np.rint(exact / step) * step
    # Ends are less exact than starts, since players shorten notes.
    end_step = np.where(steps[end_beats], steps[end_beats], step)
    end_step = np.where(end_step > 1, end_step, _finest(new_starts.astype(np.int64)))
    end_step = np.where(_is_on_grid(exact_ends, rounding), 1, end_step)
    new_ends = np.maximum(np.rint(exact_ends / end_step) * end_step, new_starts + end_step)
    distances = np.abs(new_starts - exact)
    moved = ~is_on_grid
    return Quantised(
        new_starts.astype(np.int64),
        (new_ends - new_starts).astype(np.int64),
        int(moved.sum()),
        float(distances[moved].mean()) if moved.any() else 0.0,
    )


def _steps(starts: Floats, is_on_grid: Bools, beats: Ints, length: int) -> Floats:
    """Return the step of each beat `(length,)`: 1 to keep its notes, 0 if no note starts in it."""
    counts = np.bincount(beats, minlength=length)
    number = np.maximum(counts, 1)
    costs = [
        np.bincount(beats, np.abs(starts - np.rint(starts / step) * step), length) / number
        + penalty
        for step, penalty in STEPS
    ]
    best = np.array([float(step) for step, _ in STEPS])[np.argmin(costs, axis=0)]
    off_grid = np.bincount(beats, ~is_on_grid, length)
    if is_on_grid.mean() < WRITTEN:  # those that are on the grid are so by chance
        off_grid += 1
    return np.where(counts == 0, 0.0, np.where(off_grid == 0, 1.0, best))


def _is_on_grid(times: Floats, rounding: float) -> Bools:
    return np.abs(times - np.rint(times)) <= rounding


def _finest(starts: Ints) -> Floats:
    """Return the step for ends of notes whose starts are on the grid: binary, triplet or none.

    >>> _finest(np.array([6, 8, 7]))
    array([3., 4., 1.])
    """
    return np.where(starts % 3 == 0, 3.0, np.where(starts % 4 == 0, 4.0, 1.0))

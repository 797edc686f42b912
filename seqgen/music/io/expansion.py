"""Scores as they are written → scores as they are played, with repeats written out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from seqgen.errors import MusicError
from seqgen.music.io.jumps import AT_END, not_followed
from seqgen.music.io.repeats import Bar, play_order
from seqgen.music.io.score import (
    MOST_NOTES,
    Changes,
    Score,
    ScoreNote,
    ScorePart,
    Value,
    require_length,
)
from seqgen.music.piece import MOST_BARS


def expanded(score: Score, counts: Counter[str]) -> Score:
    """Return the score as it is played: its repeats, jumps and sections written out.

    Args:
        score: the score as it is written.
        counts: counts of what is not followed, which are increased.

    Raises:
        MusicError: it becomes longer than a piece may be.
    """
    times = [time for time, _ in score.sections if score.order and time < score.length]
    bars = _cut(score.bars, times)
    counts["jumps not followed"] += not_followed([bar.marks for bar in bars])
    starts = [bar.start for bar in bars]
    ends = [*starts[1:], score.length]
    spans: list[tuple[Fraction, Fraction, Fraction]] = []  # start and end as written, start played
    now = Fraction(0)
    for i in _order(score, bars, counts):
        spans.append((starts[i], ends[i], now))
        now += ends[i] - starts[i]
        require_length(now)
    parts = [
        ScorePart(_played(part.notes, spans), part.program, part.is_drums) for part in score.parts
    ]
    return Score(
        parts,
        [Bar(played) for _, _, played in spans],
        now,
        _played_changes(score.meters, spans),
        _played_changes(score.keys, spans),
        _played_changes(score.tempi, spans),
        score.title,
    )


def _cut(bars: Sequence[Bar], times: Iterable[Fraction]) -> list[Bar]:
    """Divide bars at times, so that a bar begins at all of them."""
    found = list(bars)
    starts = [bar.start for bar in bars]
    for time in sorted(set(times)):
        i = bisect_left(starts, time)
        if starts[i : i + 1] == [time]:
            continue
        before = found[i - 1]
        found.insert(i, replace(before, start=time, begins_repeat=False))
        starts.insert(i, time)
        found[i - 1] = replace(before, plays=1, marks=before.marks - AT_END)
        found[i].marks = before.marks & AT_END
    return found


def _order(score: Score, bars: Sequence[Bar], counts: Counter[str]) -> list[int]:
    """Return the bars in the order in which they are played.

    Bars before the first section are played first. Where several sections have one name, they are
    played in turn.
    """
    firsts: dict[str, list[int]] = {}
    for time, name in sorted(score.sections):
        firsts.setdefault(name, []).append(bisect_left(bars, time, key=lambda bar: bar.start))
    names = [name for name in score.order if name in firsts]
    counts["sections not found"] += len(score.order) - len(names)
    if not names:
        return play_order(bars)
    bounds = sorted({first for own in firsts.values() for first in own} | {len(bars)})
    orders = {
        first: [first + i for i in play_order(bars[first:after])]
        for first, after in pairwise(bounds)
    }
    order = play_order(bars[: bounds[0]])
    plays: Counter[str] = Counter()
    for name in names:
        own = firsts[name]
        order += orders.get(own[min(plays[name], len(own) - 1)], [])
        plays[name] += 1
        if len(order) > MOST_BARS:
            raise MusicError(f"its sections make more than {MOST_BARS:,} bars")
    return order


def _played(
    notes: Iterable[ScoreNote], spans: Sequence[tuple[Fraction, Fraction, Fraction]]
) -> list[ScoreNote]:
    found = sorted(notes)
    starts = [note.start for note in found]
    slices = [
        (bisect_left(starts, start), bisect_left(starts, end), played - start)
        for start, end, played in spans
    ]
    if sum(after - first for first, after, _ in slices) > MOST_NOTES:
        raise MusicError(f"repeats make more than {MOST_NOTES:,} notes")
    return [
        note._replace(start=note.start + shift, end=note.end + shift)
        for first, after, shift in slices
        for note in found[first:after]
    ]


def _played_changes(
    changes: Changes[Value], spans: Sequence[tuple[Fraction, Fraction, Fraction]]
) -> Changes[Value]:
    """Return the changes within the bars played, and at each bar what is in force there."""
    found = sorted(changes, key=lambda change: change[0])
    times = [time for time, _ in found]
    played_changes: Changes[Value] = []
    for start, end, played in spans:
        before, after = bisect_right(times, start), bisect_left(times, end)
        if before:
            played_changes.append((played, found[before - 1][1]))
        played_changes += [(time - start + played, value) for time, value in found[before:after]]
    return played_changes

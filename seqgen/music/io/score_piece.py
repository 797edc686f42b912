"""A score as it is written → a piece on the grid, with tied notes joined."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction

from seqgen.errors import MusicError
from seqgen.music.io.expansion import expanded
from seqgen.music.io.score import Changes, Score, ScoreNote, Value, require_length
from seqgen.music.piece import TICKS_PER_QUARTER, Note, Part, Piece, regular_bars
from seqgen.music.signatures import Meter, is_real_tempo

HIGHEST = 127  # pitch of MIDI


def piece_of(score: Score, counts: Counter[str], *, expand_repeats: bool = False) -> Piece:
    """Return the piece of a score, and count the `notes moved` onto the grid.

    Raises:
        MusicError: there are no notes, or too many bars.

    >>> from seqgen.music.io.score import Bar, ScorePart
    >>> half = ScoreNote(Fraction(0), Fraction(2), 60, begins_tie=True)
    >>> tied = ScoreNote(Fraction(2), Fraction(4), 60, ends_tie=True)
    >>> score = Score([ScorePart([half, tied])], [Bar(Fraction(0))], Fraction(4))
    >>> piece_of(score, Counter()).notes
    (Note(start=0, duration=96, pitch=60, velocity=80),)
    """
    if not any(part.notes for part in score.parts):
        raise MusicError("holds no notes")
    require_length(max(note.end for part in score.parts for note in part.notes))
    require_length(score.length)
    if expand_repeats:
        score = expanded(score, counts)
    notes = [(_notes(part.notes, counts), part) for part in score.parts]
    parts = [Part(tuple(own), part.program, part.is_drums) for own, part in notes if own]
    if not parts:
        raise MusicError("holds no notes that can be played")
    end = max(note.end for part in parts for note in part.notes)
    length = max(end, _ticks(score.length))
    meters = _present(_moved(score.meters, length))
    starts = [_ticks(bar.start) for bar in score.bars]
    meter = meters[0][1] if meters else Meter(4, 4)
    if len(starts) == 1 and length > meter.ticks:  # a score without bar lines
        starts = list(regular_bars(length, meters))
        length = max(length, starts[-1] + (meters[-1][1] if meters else meter).ticks)
    bars = tuple(sorted({start for start in starts if start < length} | {0}))
    return Piece(
        tuple(parts),
        bars,
        length,
        _present(_at_bars(meters, bars)),
        _present(_at_bars(_moved(score.keys, length), bars)),
        _present(_moved(_real_tempi(score.tempi, counts), length)),
        score.title,
    )


def _real_tempi(tempi: Changes[float], counts: Counter[str]) -> Changes[float]:
    """Leave out tempi that nobody plays, and count them as `odd tempi`."""
    real = [(time, tempo) for time, tempo in tempi if is_real_tempo(tempo)]
    if len(real) < len(tempi):
        counts["odd tempi"] += len(tempi) - len(real)
    return real


def _notes(written: Iterable[ScoreNote], counts: Counter[str]) -> list[Note]:
    """Return the notes on the grid, tied ones joined."""
    joined: list[tuple[Fraction, Fraction, int]] = []
    tied: dict[tuple[int, Fraction], int] = {}  # pitch and end of a tied note → its index
    for start, end, pitch, begins_tie, ends_tie in sorted(written, key=_start):
        index = tied.pop((pitch, start), None) if ends_tie else None
        if index is None:
            index = len(joined)
            joined.append((start, end, pitch))
        else:
            joined[index] = (joined[index][0], end, pitch)
        if begins_tie:
            tied[pitch, end] = index
    notes = []
    moved = 0
    for start, end, pitch in joined:
        if not 0 <= pitch <= HIGHEST:
            counts["notes out of range dropped"] += 1
            continue
        tick = _ticks(start)
        moved += TICKS_PER_QUARTER % start.denominator != 0
        notes.append(Note(tick, max(_ticks(end) - tick, 1), pitch))
    counts["notes moved"] += moved
    return notes


def _start(note: ScoreNote) -> float:
    """Return the start for sorting; comparing fractions takes ten times as long."""
    return note.start.numerator / note.start.denominator


def _ticks(quarters: Fraction) -> int:
    """Return the nearest tick, the even one of two.

    >>> [_ticks(Fraction(n, 48)) for n in (1, 2, 3, 5)]
    [0, 1, 2, 2]
    """
    ticks, rest = divmod(TICKS_PER_QUARTER * quarters.numerator, quarters.denominator)
    twice = 2 * rest - quarters.denominator
    return ticks + (twice > 0 or (twice == 0 and ticks % 2 == 1))


def _moved(changes: Sequence[tuple[Fraction, Value]], length: int) -> list[tuple[int, Value]]:
    """Return changes on the grid, without repetitions and those after the end."""
    latest: dict[int, Value] = {}
    for time, value in sorted(changes, key=lambda change: change[0]):
        if (tick := _ticks(time)) < length:
            latest[tick] = value
    return list(latest.items())


def _at_bars(changes: Iterable[tuple[int, Value]], bars: Sequence[int]) -> list[tuple[int, Value]]:
    """Move every change to the nearest bar line; the later of two changes at one holds."""
    moved: dict[int, Value] = {}
    for tick, value in changes:
        after = bisect_left(bars, tick)
        near = bars[max(after - 1, 0) : after + 1]
        moved[min(near, key=lambda bar: abs(bar - tick))] = value
    return sorted(moved.items(), key=lambda change: change[0])


def _present(changes: Iterable[tuple[int, Value | None]]) -> tuple[tuple[int, Value], ...]:
    """Leave out changes to nothing, and to what already holds."""
    kept: list[tuple[int, Value]] = []
    for tick, value in changes:
        if value is not None and not (kept and kept[-1][1] == value):
            kept.append((tick, value))
    return tuple(kept)

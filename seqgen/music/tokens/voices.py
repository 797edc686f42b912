"""Parts → lanes: in each at most one note sounds at a time."""

from __future__ import annotations

from collections.abc import Iterable

from seqgen.music.piece import Note


def voices_of(notes: Iterable[Note]) -> list[list[Note]]:
    """Notes shared out to as few lanes as there are notes that sound at once.

    Each takes the first free lane, of several that start together the highest first.

    >>> [[note.pitch for note in lane] for lane in voices_of((Note(0, 48, 60), Note(0, 24, 67),
    ...                                                      Note(24, 24, 69)))]
    [[67, 69], [60]]
    """
    lanes: list[list[Note]] = []
    for note in sorted(notes, key=lambda note: (note.start, -note.pitch)):
        for lane in lanes:
            if lane[-1].start + lane[-1].duration <= note.start:
                lane.append(note)
                break
        else:
            lanes.append([note])
    return lanes


def one_of_each_pitch(notes: Iterable[Note]) -> list[Note]:
    """Notes cut short where the same pitch is struck again: an instrument has each pitch once.

    >>> one_of_each_pitch((Note(0, 48, 60), Note(24, 24, 60)))
    [Note(start=0, duration=24, pitch=60, velocity=80), \
Note(start=24, duration=24, pitch=60, velocity=80)]
    """
    last: dict[int, Note] = {}
    kept: list[Note] = []
    for note in sorted(notes, key=lambda note: (note.start, -note.duration)):
        before = last.get(note.pitch)
        if before is not None:
            if before.start == note.start:
                continue
            if before.end > note.start:
                before = before._replace(duration=note.start - before.start)
            kept.append(before)
        last[note.pitch] = note
    return sorted([*kept, *last.values()])

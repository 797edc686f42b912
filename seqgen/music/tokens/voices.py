"""Notes of a part → voices, in each of which one note sounds at a time."""

from __future__ import annotations

from collections.abc import Iterable

from seqgen.music.piece import Note


def voices_of(notes: Iterable[Note]) -> list[list[Note]]:
    """Distribute notes over as few voices as there are notes that sound together.

    Every note goes to the first voice that is silent. Of notes that start together the highest
    comes first.

    >>> [[note.pitch for note in voice] for voice in voices_of((Note(0, 48, 60), Note(0, 24, 67),
    ...                                                        Note(24, 24, 69)))]
    [[67, 69], [60]]
    """
    voices: list[list[Note]] = []
    for note in sorted(notes, key=lambda note: (note.start, -note.pitch)):
        for voice in voices:
            if voice[-1].start + voice[-1].duration <= note.start:
                voice.append(note)
                break
        else:
            voices.append([note])
    return voices


def one_of_each_pitch(notes: Iterable[Note]) -> list[Note]:
    """End a note early where the same pitch starts again, as on a real instrument.

    Of notes of one pitch that start together the longest remains.

    >>> one_of_each_pitch((Note(0, 48, 60), Note(24, 24, 60)))
    [Note(start=0, duration=24, pitch=60, velocity=80), \
Note(start=24, duration=24, pitch=60, velocity=80)]
    """
    last: dict[int, Note] = {}  # pitch → its last note
    ended: list[Note] = []
    for note in sorted(notes, key=lambda note: (note.start, -note.duration)):
        before = last.get(note.pitch)
        if before is not None:
            if before.start == note.start:
                continue
            if before.end > note.start:
                before = before._replace(duration=note.start - before.start)
            ended.append(before)
        last[note.pitch] = note
    return sorted([*ended, *last.values()])

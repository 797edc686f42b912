"""Strategies of hypothesis for pieces."""

from itertools import accumulate

from hypothesis import strategies as st

from seqgen.music.io import midi_reader
from seqgen.music.piece import Note, Part, Piece
from seqgen.music.signatures import MODES, Key, Meter

METERS = [Meter(4, 4), Meter(6, 8), Meter(3, 4), Meter(5, 8), Meter(2, 2), Meter(9, 16)]
durations = st.sampled_from([1, 3, 4, 6, 8, 12, 16, 18, 24, 36, 48, 71, 72, 96, 200, 500])
pitches = st.integers(0, 127)
meters = st.sampled_from(METERS)
keys = st.builds(Key, st.integers(-7, 7), st.sampled_from(sorted(MODES)))


@st.composite
def melodies(draw: st.DrawFn) -> tuple[Note, ...]:
    """Draw notes that follow one another, with or without rests between them."""
    notes, now = [], 0
    for _ in range(draw(st.integers(0, 12))):
        now += draw(st.one_of(st.just(0), durations))
        note = Note(now, draw(durations), draw(pitches))
        notes.append(note)
        now = note.end
    return tuple(notes)


chords = st.lists(
    st.builds(Note, st.integers(0, 300), durations, pitches, st.integers(1, 127)), max_size=12
).map(tuple)


@st.composite
def pieces(draw: st.DrawFn, parts: st.SearchStrategy[list[Part]]) -> Piece:
    """Draw pieces with bars of any length, and meters and keys that change."""
    drawn = tuple(draw(parts))
    end = max((note.end for part in drawn for note in part.notes), default=1)
    bars = [0]
    while bars[-1] < end:
        meter = draw(meters)
        bars.append(bars[-1] + draw(st.one_of(st.just(meter.ticks), st.integers(1, 300))))
    *starts, length = bars
    changes = st.lists(st.sampled_from(starts), unique=True, max_size=3).map(sorted)
    return Piece(
        drawn,
        tuple(starts),
        length,
        tuple((tick, draw(meters)) for tick in draw(changes)),
        tuple((tick, draw(keys)) for tick in draw(changes)),
    )


melody_pieces = pieces(melodies().map(lambda notes: [Part(notes)]))
any_pieces = pieces(
    st.lists(
        st.builds(Part, st.one_of(melodies(), chords), st.integers(0, 127), st.booleans()),
        max_size=4,
    )
)


@st.composite
def tunes(draw: st.DrawFn) -> Piece:
    """Draw regular pieces: a pick-up, full bars, common note values, ties."""
    meter = draw(meters)
    # music21, which still reads MusicXML, knows no tonic such as Fb.
    key = draw(keys.filter(lambda key: abs(key.sharps) <= 5))
    pick_up = draw(st.sampled_from([0, 12, 24]))
    bars = [0, *range(pick_up, pick_up + meter.ticks * draw(st.integers(3, 6)) + 1, meter.ticks)]
    *starts, length = sorted(set(bars))
    notes, now = [], 0
    while True:
        duration = draw(st.sampled_from([6, 8, 12, 18, 20, 24, 36, 48, 60, 96]))
        if now + duration > length:
            break
        if not notes or draw(st.integers(0, 4)):
            notes.append(Note(now, duration, draw(st.integers(36, 96))))
        now += duration
    return Piece((Part(tuple(notes)),), tuple(starts), length, ((0, meter),), ((0, key),))


def long_melody(bars: int) -> Piece:
    """Return scales in any number of bars, with many notes tied over the bar line."""
    meter = Meter(3, 4)
    durations = [24, 36, 24, 18, 6, 36] * bars
    starts = [start for start in accumulate(durations, initial=0) if start + 36 <= 72 * bars]
    notes = tuple(Note(start, durations[i], 60 + i % 13) for i, start in enumerate(starts))
    return Piece((Part(notes),), tuple(range(0, 72 * bars, 72)), 72 * bars, ((0, meter),))


def read_midi(data: bytes) -> tuple[Piece, dict[str, float]]:
    """Read a MIDI file of one piece. Returns it and the counts."""
    result = midi_reader.read_midi(data)
    (piece,) = result.pieces
    return piece, dict(result.counts)

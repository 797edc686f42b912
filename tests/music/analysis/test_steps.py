import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.music.analysis.steps import DRUM, SAME, Steps
from seqgen.music.piece import Note, Part, Piece
from seqgen.music.pitch_names import piece_of
from seqgen.music.tokens.codec import Codec
from tests.music import pieces

MELODY = [*(f"duration:{n}" for n in (6, 12, 24)), *(f"pitch:{n}" for n in range(60, 64)),
          "rest", "tie", "bar", "key:C"]  # fmt: skip
VOICES = ["shift:6", "shift:24", "0:60", "0:62", "1:48", "0:off", "drum:36", "drum:38", "bar",
          "lane:1", "pitch:70", "off"]  # fmt: skip


def steps_of(piece: Piece, codec: Codec) -> list[int]:
    tokens = codec.encode(codec.restrict(piece))
    names = sorted(set(tokens))
    return Steps(names).of(np.array([names.index(token) for token in tokens])).tolist()


@pytest.mark.parametrize("tokens", [MELODY, VOICES])
@given(data=st.data())
def test_token_by_token_agrees_with_all_at_once(tokens: list[str], data: st.DataObject) -> None:
    ids = data.draw(st.lists(st.integers(0, len(tokens) - 1), max_size=40))
    steps = Steps(tokens)
    coming = []
    for each in ids:
        before = steps.coming()[each]
        step = steps.feed(each)
        if step is not None:
            assert step == before
            coming.append(step)
    assert coming == Steps(tokens).of(np.array(ids, int)).tolist()


def test_a_melody_s_steps_are_intervals_and_times() -> None:
    found = steps_of(piece_of("C4/4 D4/8 r/8 E4/2 C4/4"), Codec("melody"))
    assert found == [SAME + 2 + (24 << 12), SAME + 2 + (24 << 12), SAME - 4 + (48 << 12)]


def test_ties_and_bar_lines_do_not_count() -> None:
    notes = (Note(0, 60, 60), Note(60, 36, 62), Note(96, 96, 64))
    one = Piece((Part(notes),), (0, 96), 192)
    other = Piece((Part(notes),), (0, 24, 72, 168), 192)
    assert steps_of(one, Codec("melody")) == steps_of(other, Codec("melody"))


@given(pieces.tunes(), st.integers(-12, 12))
def test_a_transposed_melody_has_the_same_steps(piece: Piece, semitones: int) -> None:
    if all(0 <= note.pitch + semitones < 128 for note in piece.notes):
        codec = Codec("melody")
        assert steps_of(piece, codec) == steps_of(piece.transposed(semitones), codec)


def test_drums_are_distinguished_and_not_transposed() -> None:
    tune = Part((Note(0, 24, 60), Note(48, 24, 64)))
    drums = Part((Note(24, 6, 36),), is_drums=True)
    piece = Piece((tune, drums), (0,), 96)
    expected = [DRUM + 36 + (24 << 12), SAME + 4 + (24 << 12)]
    assert steps_of(piece, Codec("polyphony")) == expected
    assert steps_of(piece.transposed(3), Codec("polyphony")) == expected

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.errors import MusicError
from seqgen.music.piece import Note, Part, Piece
from seqgen.music.tokens import polyphony
from tests.music.pieces import any_pieces, keys, long_melody, meters

TOKENS = st.one_of(
    st.sampled_from(
        [*polyphony.SHIFTS.ticks, *polyphony.DRUM_ONSETS, *polyphony.PITCHES, *polyphony.NOTE_ONS]
    ),
    st.sampled_from([*polyphony.NOTE_OFFS, *polyphony.VOICES, polyphony.OFF, "bar"]),
    st.sampled_from(["program:0", "program:40", "drums", "lane", "velocity:3", "shift:24", "0:60"]),
    meters.map(lambda meter: f"meter:{meter}"),
    keys.map(lambda key: f"key:{key}"),
)


@given(any_pieces, st.booleans(), st.booleans())
def test_decoding_gives_back_what_was_encoded(piece: Piece, joint: bool, velocity: bool) -> None:
    restricted = polyphony.restrict(piece, velocity=velocity)
    tokens = polyphony.encode(restricted, joint=joint, velocity=velocity)
    assert polyphony.decode(tokens) == restricted


@given(any_pieces, st.booleans())
def test_restrict_is_idempotent(piece: Piece, velocity: bool) -> None:
    restricted = polyphony.restrict(piece, velocity=velocity)
    assert polyphony.restrict(restricted, velocity=velocity) == restricted


@given(any_pieces)
def test_restrict_keeps_every_onset(piece: Piece) -> None:
    def starts(piece: Piece) -> set[tuple[int, int, bool]]:
        return {(n.start, n.pitch, part.is_drums) for part in piece.parts for n in part.notes}

    assert starts(polyphony.restrict(piece)) == starts(piece)


@given(st.lists(TOKENS, max_size=60))
def test_any_token_sequence_is_decoded(tokens: list[str]) -> None:
    piece = polyphony.decode(tokens)
    restricted = polyphony.restrict(piece)
    assert polyphony.decode(polyphony.encode(restricted)) == restricted


def test_a_thousand_bars() -> None:
    piece = long_melody(1000)
    assert polyphony.decode(polyphony.encode(piece)) == piece


def test_the_tokens_of_a_chord_and_drums() -> None:
    piano = Part((Note(0, 96, 60), Note(0, 48, 67), Note(72, 24, 65)))
    drums = Part((Note(0, 6, 36), Note(48, 6, 38)), is_drums=True)
    piece = Piece((piano, drums), (0,), 96)
    head, rest = ["program:0", "lane", "drums"], ["shift:48", "0:off", "drum:38"]
    tokens = [*head, "0:67", "1:60", "drum:36", *rest, "shift:24", "0:65", "shift:24"]
    assert polyphony.encode(piece) == tokens
    split = [*head, "lane:0", "pitch:67", "lane:1", "pitch:60", "drum:36", "shift:48"]
    split += ["lane:0", "off", "drum:38", "shift:24", "lane:0", "pitch:65", "shift:24"]
    assert polyphony.encode(piece, joint=False) == split


def test_voices_from_the_seventh_on_need_two_tokens() -> None:
    chord = Part(tuple(Note(0, 96, 60 + i) for i in range(7)))
    tokens = polyphony.encode(Piece((chord,), (0,), 96))
    assert tokens[7:9] == ["lane:0", "pitch:66"]


def test_too_many_voices_are_an_error() -> None:
    chords = tuple(Part(tuple(Note(0, 96, p) for p in range(128))) for _ in range(2))
    with pytest.raises(MusicError, match="more than 128 notes"):
        polyphony.restrict(Piece(chords, (0,), 96))

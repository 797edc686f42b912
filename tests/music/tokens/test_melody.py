from hypothesis import given
from hypothesis import strategies as st

from seqgen.music.piece import Note, Part, Piece
from seqgen.music.signatures import Key, Meter
from seqgen.music.tokens import melody
from tests.music.pieces import any_pieces, keys, long_melody, melody_pieces, meters

TOKENS = st.one_of(
    st.sampled_from(
        [*melody.DURATIONS.ticks, *melody.PITCH_TOKENS, "bar", melody.REST, melody.TIE]
    ),
    meters.map(lambda meter: f"meter:{meter}"),
    keys.map(lambda key: f"key:{key}"),
    st.just("<end>"),
)


@given(melody_pieces)
def test_decoding_gives_back_what_was_encoded(piece: Piece) -> None:
    assert melody.decode(melody.encode(piece)) == piece


@given(melody_pieces)
def test_restrict_is_idempotent(piece: Piece) -> None:
    assert melody.restrict(piece) == piece


@given(st.lists(TOKENS, max_size=60))
def test_any_token_sequence_is_decoded(tokens: list[str]) -> None:
    piece = melody.decode(tokens)
    assert piece.is_melody
    assert melody.decode(melody.encode(piece)) == piece


def test_a_thousand_bars() -> None:
    piece = long_melody(1000)
    assert len(piece.bars) == 1000
    assert melody.decode(melody.encode(piece)) == piece


def test_the_tokens_of_a_tune() -> None:
    notes = Part((Note(0, 12, 62), Note(12, 24, 67), Note(48, 60, 69)))
    piece = Piece((notes,), (0, 12, 84), 108, ((0, Meter(6, 8)),), ((0, Key(1)), (84, Key(2))))
    assert melody.encode(piece) == [
        *("meter:6/8", "key:G", "duration:12", "pitch:62"),
        *("bar", "duration:24", "pitch:67", "duration:12", "rest", "duration:36", "pitch:69"),
        *("bar", "key:D", "duration:24", "tie"),
    ]


def test_restrict_removes_what_the_codec_cannot_encode() -> None:
    part = Part((Note(0, 24, 62, 33),), program=40)
    piece = Piece((part,), (0,), 96, tempi=((0, 90.0),))
    assert melody.restrict(piece) == Piece((Part((Note(0, 24, 62),)),), (0,), 96)


def test_restrict_keeps_the_highest_note_of_a_chord() -> None:
    held = Part((Note(0, 48, 62), Note(12, 24, 67), Note(24, 12, 65)))
    assert melody.restrict(Piece((held,), (0,), 96)).notes == (Note(0, 12, 62), Note(12, 24, 67))


@given(any_pieces)
def test_a_restricted_piece_is_a_melody(piece: Piece) -> None:
    restricted = melody.restrict(piece)
    assert restricted.is_melody
    assert melody.decode(melody.encode(restricted)) == restricted

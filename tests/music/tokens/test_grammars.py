import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.music.signatures import Key, Meter
from seqgen.music.tokens import melody, polyphony
from seqgen.music.tokens.bar_grammar import Bars
from seqgen.music.tokens.melody_grammar import MelodyGrammar
from seqgen.music.tokens.polyphony_grammar import PolyphonyGrammar

MELODY = [
    *("bar", "rest", "tie", "meter:3/4", "meter:6/8", "key:G", "key:Am"),
    *melody.DURATIONS.ticks,
    *(f"pitch:{pitch}" for pitch in range(60, 72)),
]
JOINT = [
    *("bar", "lane", "drums", "program:0", "program:40", "meter:3/4", "meter:4/4", "key:G"),
    *polyphony.SHIFTS.ticks,
    *(f"{voice}:{pitch}" for voice in range(3) for pitch in (60, 64, 67)),
    *("0:off", "1:off", "2:off", "drum:36", "drum:38", "velocity:3", "velocity:5"),
]
SPLIT = [token for token in JOINT if ":6" not in token and ":off" not in token]
SPLIT += [*(f"lane:{i}" for i in range(9)), "off", "pitch:60", "pitch:64", "meter:6/8"]


def walked(grammar: MelodyGrammar | PolyphonyGrammar, draw: st.DataObject) -> list[str]:
    """Tokens that the grammar allows, drawn at random until it is finished."""
    ids: list[int] = []
    numbers = draw.draw(st.randoms(use_true_random=False))
    while not grammar.is_finished:
        allowed = [i for i, each in enumerate(grammar.allowed()) if each]
        assert allowed, [grammar.tokens[i] for i in ids]
        ids.append(numbers.choice(allowed))
        grammar.feed(ids[-1])
        assert len(ids) < 5000
    return [grammar.tokens[i] for i in ids]


@given(st.integers(1, 6), st.integers(-5, 6), st.data())
def test_a_random_melody_has_the_requested_bars(bars: int, shift: int, data: st.DataObject) -> None:
    grammar = MelodyGrammar(MELODY, bars=bars, lowest=shift, highest=127 + shift)
    piece = melody.decode(walked(grammar, data))
    lengths = piece.bar_lengths
    assert lengths[-bars:] == (piece.meter.ticks,) * bars
    assert len(lengths) <= bars + 1
    assert lengths[0] <= piece.meter.ticks


@pytest.mark.parametrize("tokens", [JOINT, SPLIT])
@given(bars=st.integers(1, 6), data=st.data())
def test_random_voices_have_the_requested_bars(
    tokens: list[str], bars: int, data: st.DataObject
) -> None:
    piece = polyphony.decode(walked(PolyphonyGrammar(tokens, bars=bars), data))
    lengths = piece.bar_lengths
    assert lengths[-bars:] == (piece.meter.ticks,) * bars
    assert len(lengths) <= bars + 1


@given(st.data())
def test_random_tokens_are_those_of_the_codec(data: st.DataObject) -> None:
    tokens = walked(MelodyGrammar(MELODY, bars=3), data)
    again = melody.encode(melody.decode(tokens))
    assert melody.decode(again) == melody.decode(tokens)
    assert len(again) <= len(tokens)


@given(st.data())
def test_the_requested_header_is_required(data: st.DataObject) -> None:
    grammar = MelodyGrammar(MELODY, bars=2, header=["meter:6/8", "key:G"])
    piece = melody.decode(walked(grammar, data))
    assert (piece.meter, piece.key) == (Meter(6, 8), Key(1))


@given(st.data())
def test_a_key_alone_leaves_the_meter_to_the_model(data: st.DataObject) -> None:
    grammar = PolyphonyGrammar(JOINT, bars=1, header=["key:G"])
    assert polyphony.decode(walked(grammar, data)).key == Key(1)


@given(st.data())
def test_the_range_is_kept(data: st.DataObject) -> None:
    piece = melody.decode(walked(MelodyGrammar(MELODY, bars=4, lowest=62, highest=65), data))
    assert all(62 <= note.pitch <= 65 for note in piece.notes)


def test_an_incomplete_bar_of_the_primer_is_not_counted() -> None:
    grammar = MelodyGrammar(MELODY, bars=1)
    for token in ("duration:72", "pitch:60", "bar", "duration:48", "pitch:62"):
        grammar.feed(MELODY.index(token))
    grammar.bars.begin_counting()
    for token in ("duration:48", "pitch:60"):
        assert not grammar.is_finished
        grammar.feed(MELODY.index(token))
    assert not grammar.is_finished
    for token in ("bar", "duration:96", "rest"):
        grammar.feed(MELODY.index(token))
    assert grammar.is_finished


def test_the_end_of_a_piece_without_requested_bars() -> None:
    bars = Bars(wanted=None)
    bars.pass_time(12)
    assert not bars.may_end
    bars.close()
    bars.pass_time(96)
    assert bars.may_end
    bars.close()
    assert not bars.may_end
    bars.pass_time(84)
    assert bars.may_end  # with the pick-up it is a whole bar
    bars.pass_time(6)
    assert not bars.may_end


def test_a_full_first_bar_is_no_pick_up() -> None:
    bars = Bars(wanted=1)
    bars.pass_time(96)
    assert bars.is_done

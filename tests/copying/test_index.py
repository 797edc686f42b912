import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqgen.copying import index as copies
from seqgen.copying.index import CopyIndex, Pieces
from seqgen.utils import hashing

RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def same_chance() -> None:
    """Seed the generator for each test, since an index has rare false positives."""
    RANDOM.bit_generator.state = np.random.default_rng(0).bit_generator.state


CODES = hashing.mixed(np.arange(50))


def index_of(pieces: list[np.ndarray], order: int) -> CopyIndex:
    bounds = np.cumsum([0, *map(len, pieces)])
    return CopyIndex.of(Pieces(np.concatenate(pieces), bounds, CODES), order)


@given(st.integers(1, 9), st.lists(st.integers(0, 49), max_size=30))
def test_a_rolling_hash_depends_on_its_ngram_only(order: int, ids: list[int]) -> None:
    codes = CODES[np.array(ids, int)]
    alone = [int(hashing.of_ngrams(codes[i : i + order], order)[0])
             for i in range(len(ids) - order + 1)]  # fmt: skip
    assert hashing.of_ngrams(codes, order).tolist() == alone


@settings(deadline=None)
@given(st.data())
def test_a_copy_is_found_in_its_full_length(data: st.DataObject) -> None:
    corpus = RANDOM.integers(0, 50, data.draw(st.integers(30, 3000)))
    index = index_of([corpus], order=6)
    start = data.draw(st.integers(0, len(corpus) - 20))
    length = data.draw(st.integers(6, 20))
    other = RANDOM.integers(0, 50, 15)
    text = np.concatenate((other, corpus[start : start + length], other))
    assert index.runs(CODES[text])[15 + length - 1] >= length


def test_false_positives_are_rare() -> None:
    index = index_of([RANDOM.integers(0, 50, 100_000)], order=8)
    other = CODES[RANDOM.integers(0, 50, 100_000)]
    assert (index.runs(other) > 0).mean() < 0.03
    assert index.runs(other).max() < index.shortest + 4
    assert index.size == 100_000


def test_the_beginning_of_a_piece_is_indexed_and_pieces_are_not_joined() -> None:
    pieces = [RANDOM.integers(0, 50, n) for n in (5, 40, 3, 60)]
    index = index_of(pieces, order=8)
    for piece in pieces:
        runs = index.runs(CODES[piece], starts_piece=True)
        assert runs.tolist() == list(range(1, len(piece) + 1))
    joined = CODES[np.concatenate((pieces[1][-7:], pieces[2], pieces[3][:7]))]
    assert index.runs(joined).max() == 0


def test_the_result_does_not_depend_on_the_chunk_size(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [RANDOM.integers(0, 50, n) for n in (5, 700, 3, 60, 8, 900)]
    whole = index_of(pieces, order=7)
    monkeypatch.setattr(copies, "CHUNK", 64)
    assert (index_of(pieces, order=7).bits == whole.bits).all()


def test_a_very_large_corpus_is_subsampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "MAX_NGRAMS", 10_000)
    corpus = RANDOM.integers(0, 50, 50_000)
    index = index_of([corpus], order=8)
    assert (index.every, index.size) == (5, 10_000)
    assert index.runs(CODES[corpus[100:400]])[-1] >= 300
    runs = index.runs(CODES[RANDOM.integers(0, 50, 20_000)])
    assert np.mean(runs >= index.shortest) < 0.005


def test_the_order_grows_with_the_ngrams_that_texts_share() -> None:
    def order(ids: np.ndarray) -> int:
        return copies.choose_order(Pieces(ids, np.array([0, len(ids)]), CODES))

    few = order(RANDOM.integers(0, 3, 20_000))
    assert order(RANDOM.integers(0, 50, 2000)) == copies.ORDERS[0] < few < 15
    assert order(RANDOM.integers(0, 3, 400_000)) > few
    assert order(np.arange(20_000) % 7) == copies.ORDERS[-1]


def test_an_index_is_saved_and_loaded() -> None:
    index = index_of([RANDOM.integers(0, 50, 500)], order=5)
    again = CopyIndex.from_metadata(index.metadata(), index.bits.tobytes())
    assert (again.order, again.every) == (5, 1) and (again.bits == index.bits).all()
    with pytest.raises(ValueError, match="got order 1"):
        CopyIndex.from_metadata({"order": 1, "every": 1}, index.bits.tobytes())

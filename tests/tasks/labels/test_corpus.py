"""The corpus of labelled sequences and its split."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.corpus.corpus import Corpus
from seqgen.corpus.packages import table
from seqgen.corpus.sources import from_path
from seqgen.errors import ConfigError, CorpusError
from seqgen.tasks.labels.corpus import read
from seqgen.tasks.labels.encoding import LARGEST, fit_series, fit_text
from seqgen.tasks.labels.near_duplicates import groups
from seqgen.tasks.labels.split import stratified
from seqgen.vocabulary import PADDING, UNKNOWN


def corpus(rows: list[tuple[str, str]], **options: object) -> Corpus:
    return read([table("x", rows)], name="x", **options)  # type: ignore[arg-type]


def rows(count: int) -> list[tuple[str, str]]:
    """Different texts of two labels."""
    random = np.random.default_rng(0)
    return [
        ("".join(map(chr, random.integers(97, 122, 30))), "ab"[number % 3 == 0])
        for number in range(count)
    ]


def test_the_pieces_are_the_texts() -> None:
    made = rows(50)
    found = corpus(made)
    tokens = found.vocabulary.tokens
    assert tokens[:2] == (PADDING, UNKNOWN)
    texts = ["".join(found.vocabulary.decode(found.piece(number))) for number in range(50)]
    assert texts == list(found.texts) and sorted(texts) == sorted(text for text, _ in made)
    by_text = dict(made)
    labels = found.details["labels"]
    assert [by_text[text] for text in texts] == [labels[target] for target in found.targets]
    assert found.network == {"pooling": "last", "outputs": 2, "inputs": "ids", "ngrams": 4}
    shares = Counter(found.targets[found.training_pieces :].tolist())
    assert shares == {0: 7, 1: 3}  # a fifth of both


def test_classes_count_the_same_unless_weights_are_switched_off() -> None:
    found = corpus(rows(50))
    training = np.bincount(found.targets[: found.training_pieces])
    assert found.target_weights is not None
    np.testing.assert_allclose(found.target_weights * training, training.sum() / 2, rtol=1e-5)
    assert corpus(rows(50), class_weights=False).target_weights is None


def test_words_are_tokens() -> None:
    found = corpus([("Fine day", "a"), ("A fine day.", "b")] * 3, tokens="words", validation=0)
    assert set(found.vocabulary.tokens) == {PADDING, UNKNOWN, "a", "fine", "day", "."}


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ([("x", "a"), ("y", "a")], "expected at least two labels, got only 'a'"),
        ([("", "a")], "no labelled sequence to learn from: skipped 1 of 1 rows: 1 with an empty"),
        ([(f"text {i}", f"{i}") for i in range(9)], "got 9 labels for 9 examples; name the column"),
    ],
)
def test_nothing_to_learn_is_an_error(made: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(CorpusError) as error:
        corpus(made)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "options",
    [{"tokens": "letters"}, {"min_count": 0}, {"max_length": 0}, {"validation": 0.6}],
)
def test_an_option_out_of_range_is_an_error(options: dict[str, object]) -> None:
    (name,) = options
    with pytest.raises(ConfigError, match=f"{name}: expected"):
        corpus(rows(20), **options)


def test_a_label_with_one_example_is_only_for_training() -> None:
    found = corpus([*rows(50), ("the only one", "rare")])
    rare = found.details["labels"].index("rare")
    assert rare in found.targets[: found.training_pieces]
    assert found.notes == ("labels with one example, which is not held out: 'rare'",)


def test_long_sequences_are_shortened() -> None:
    made = [("x" * 100_000, "a"), ("y", "a"), ("z" * 4, "b"), ("w", "b")]
    found = corpus(made, max_length=3, validation=0)
    assert np.diff(found.bounds).max() == 3 and len(found.targets) == 4
    assert "2 sequences are longer than 3 steps" in found.notes[0]


def test_missing_steps_do_not_count_towards_the_length(tmp_path: Path) -> None:
    series = np.arange(24.0).reshape(4, 6)
    series[:, 1:3] = np.nan  # four of six steps are there
    np.savez(tmp_path / "x.npz", X=series, y=np.array([0, 0, 1, 1]))
    sources = from_path(str(tmp_path / "x.npz")) or []
    whole = read(sources, name="x", max_length=4, validation=0)
    assert whole.notes == () and np.diff(whole.bounds).tolist() == [4] * 4
    (note,) = read(sources, name="x", max_length=3, validation=0).notes
    assert "4 sequences are longer than 3 steps" in note


@given(st.lists(st.integers(0, 3), min_size=2, max_size=200), st.integers(1, 20), st.floats(0, 0.5))
def test_the_split_is_stratified_and_keeps_groups_together(
    labels: list[int], members: int, validation: float
) -> None:
    group = np.arange(len(labels)) // members
    training, held_out = stratified(labels, group, validation)
    assert sorted([*training, *held_out]) == list(range(len(labels)))
    assert not set(group[training]) & set(group[held_out])
    if members == 1:
        for label, count in Counter(labels).items():
            found = int((np.array(labels)[held_out] == label).sum())
            assert found <= max(round(count * validation), 1) and found < count
            assert found >= min(round(count * validation), count - 1)


def test_near_duplicates_are_on_one_side() -> None:
    base = [f"{text} and so on, as it was said before in this place" for text, _ in rows(40)]
    made = [(text, "ab"[i % 2]) for i, text in enumerate(base)]
    made += [(text.upper() + "!!", label) for text, label in made]
    found = corpus(made)
    same = [text.rstrip("!").lower() for text in found.texts]
    assert not set(same[: found.training_pieces]) & set(same[found.training_pieces :])


def test_different_texts_are_no_near_duplicates() -> None:
    texts = [text for text, _ in rows(100)]
    assert len(set(groups(texts).tolist())) == 100
    assert groups(["", "!", "a", "A?"]).tolist() == [0, 0, 1, 1]


def test_series_are_standardised_and_missing_steps_left_out() -> None:
    random = np.random.default_rng(0)
    series = [random.normal((5, -100), (2, 30), (20, 2)) for _ in range(30)]
    encoding = fit_series(series, 1000)
    encoded = np.concatenate([encoding.encode(each) for each in series])
    np.testing.assert_allclose(encoded.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(encoded.std(axis=0), 1, atol=1e-5)
    series[0][3] = np.nan
    series[0][4, 0] = np.nan
    found = encoding.encode(series[0])
    assert found.shape == (19, 2) and found[3, 0] == 0 and found.dtype == np.float32
    assert encoding.encode(np.array([[1e300, 0]])).max() == LARGEST


def test_constant_series_stay_finite() -> None:
    encoding = fit_series([np.full((4, 1), 7.0)], 10)
    assert encoding.encode(np.full((4, 1), 7.0)).tolist() == [[0.0]] * 4


@given(st.text(), st.sampled_from(["characters", "words"]))
def test_every_text_has_ids(text: str, tokens: str) -> None:
    encoding = fit_text(["abc", "abd"], tokens, 2, 100)
    ids = encoding.encode(text or " ")
    assert 1 <= len(ids) <= 100 and ids.min() > 0 and ids.max() < len(encoding.vocabulary)

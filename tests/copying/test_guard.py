"""Copies are detected, and limited."""

import re
from pathlib import Path

import numpy as np
import pytest

import seqgen
from seqgen.copying.codes import TokenCodes, index_of
from seqgen.copying.guard import CopyGuard, guards
from seqgen.copying.report import is_whole_piece, longest_copy, report
from seqgen.corpus.corpus import Corpus
from seqgen.corpus.sources import Source
from seqgen.errors import ConfigError
from seqgen.music.pitch_names import piece_of
from seqgen.music.tokens.codec import Codec
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.decode import DecoderState, GeneratedSequence, generate
from seqgen.sampling.sampler import Sampler
from seqgen.tasks.music import corpus as music
from seqgen.tasks.music.copying import StepCodes, longest_copies
from seqgen.tasks.text import corpus as text
from seqgen.utils import hashing
from seqgen.vocabulary import END, Vocabulary
from tests.tasks.music.test_corpus import source

LETTERS = Vocabulary(tuple("abcdefghijklmnopqrstuvwxyz \n"))
CODES = TokenCodes(LETTERS, "characters")
RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def same_random_ids() -> None:
    """Seed the generator for each test, since an index has rare false positives."""
    RANDOM.bit_generator.state = np.random.default_rng(0).bit_generator.state


def random_ids(length: int) -> np.ndarray:
    return RANDOM.integers(0, len(LETTERS), length)


def test_a_planted_copy_is_found() -> None:
    ids = random_ids(30_000)
    index = index_of(Corpus("random", "text", LETTERS, ids), CODES)
    output = np.concatenate((random_ids(200), ids[700:760], random_ids(200)))
    assert 60 <= longest_copy([index], CODES, output) <= 63
    assert longest_copy([index], CODES, random_ids(500)) < 9
    assert longest_copy([], CODES, output) is None
    assert longest_copy([index], CODES, ids[-100:]) < 9  # these are held out


def tunes() -> tuple[Corpus, list[str]]:
    steps, lengths = RANDOM.choice([*"CDEFGAB"], (20, 60)), RANDOM.choice([4, 8, 16], (20, 60))
    texts = [" ".join(f"{s}4/{n}" for s, n in zip(*each, strict=True))
             for each in zip(steps, lengths, strict=True)]  # fmt: skip
    sources = [source(piece_of(each)) for each in texts]
    return music.read(sources, name="tunes", transpose="none", validation=0), texts


def test_a_copy_in_another_key_is_a_copy() -> None:
    corpus, texts = tunes()
    index = index_of(corpus, StepCodes(corpus.vocabulary))
    notes = texts[3].split()
    melody = piece_of(" ".join(["C5/2", "C5/2", *notes[20:40], "B3/1", "B3/1"]))
    codec = Codec("melody")
    for semitones in (0, 2, -5):
        tokens = codec.encode(codec.restrict(melody.transposed(semitones)))
        vocabulary = Vocabulary(tuple(sorted({*tokens, *corpus.vocabulary.tokens})))
        ids = vocabulary.encode(tokens)
        assert longest_copy([index], StepCodes(vocabulary), ids) == 20


def test_a_line_of_the_corpus_is_reported() -> None:
    names = Path("data/given-names.txt").read_bytes()
    corpus = text.read([Source("names", data=names)], lines=True, name="text")
    codes = TokenCodes(corpus.vocabulary, "characters")
    indexes = [index_of(corpus, codes)]
    end_id = corpus.vocabulary.end_id
    ends = corpus.bounds
    for number in (0, 5, 100):
        assert is_whole_piece(
            indexes, codes, corpus.ids[ends[number] : ends[number + 1] - 1], end_id
        )
    known = set(names.decode().split())
    for name in ("Marietta", "Zebulonia", "Annalisa", "Georginald"):
        assert name not in known
        assert not is_whole_piece(indexes, codes, corpus.vocabulary.encode(name), end_id)


class MemorisedText:
    """A network that has memorised a text and always continues it."""

    is_batch_invariant = True

    def __init__(self, ids: np.ndarray) -> None:
        self.ids = ids

    def initial_state(self, batch_size: int) -> np.ndarray:
        return np.zeros(batch_size, int)

    def step(self, ids: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # If the guard chose another letter, continue after the next occurrence of that letter.
        places = [
            place if self.ids[place % len(self.ids)] == token
            else int(np.argmax(np.roll(self.ids, -place) == token)) + place
            for token, place in zip(ids, state, strict=True)
        ]  # fmt: skip
        after = (np.array(places) + 1) % len(self.ids)
        return 30 * np.eye(len(LETTERS))[self.ids[after]], after

    def gather_state(self, state: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return state[rows]


def true_runs(ids: list[int], corpus: np.ndarray, longest: int) -> bool:
    """Whether the corpus contains a longer run, by brute force."""
    known = "".join(LETTERS.tokens[i] for i in corpus)
    output = "".join(LETTERS.tokens[i] for i in ids)
    return any(output[i : i + longest + 1] in known for i in range(len(output) - longest))


@pytest.mark.parametrize("rows", [1, 4])
def test_no_copy_gets_longer_than_allowed_in_a_hundred_thousand_tokens(rows: int) -> None:
    ids = random_ids(2000)
    corpus = Corpus("random", "text", LETTERS, ids, validation=0)
    index = index_of(corpus, CODES)
    model = MemorisedText(ids)
    config = SampleConfig(length=100_000 // rows, temperature=1, max_copy=20)
    outputs = [
        GeneratedSequence(config, item, constraints=guards([index], CODES, config, []))
        for item in range(rows)
    ]
    place = DecoderState(*model.step(np.array([ids[0]] * rows), np.zeros(rows, int)))
    for _ in generate(model, place, Sampler(config), outputs):
        pass
    for output in outputs:
        assert len(output.ids) == 100_000 // rows and not output.is_stuck
        assert not true_runs(output.ids, ids, 20)
        assert true_runs(output.ids, ids, 17)  # the guard allows the longest copy that it may


def test_the_guard_counts_runs_like_the_index() -> None:
    ids = random_ids(5000)
    index = index_of(Corpus("random", "text", LETTERS, ids, validation=0), CODES)
    output = np.concatenate([part for i in range(0, 4000, 400)
                             for part in (ids[i : i + 25], random_ids(3))])  # fmt: skip
    guard = CopyGuard(index, CODES, 40, [])
    runs = []
    for token in output:
        guard.feed(int(token))
        runs.append(guard.run)
    assert runs == index.runs(hashing.of_texts(LETTERS.tokens)[output]).tolist()


def test_unsupported_limits_are_errors() -> None:
    index = index_of(Corpus("random", "text", LETTERS, random_ids(20_000)), CODES)
    config = SampleConfig(max_copy=2)
    with pytest.raises(ConfigError, match=r"expected at least \d+ characters, got 2"):
        guards([index], CODES, config, [])
    with pytest.raises(ConfigError, match="got one trained with --no-index"):
        guards([], CODES, config, [])
    assert guards([], CODES, SampleConfig(), []) == []
    assert report([], CODES, [None]) == []


def test_max_copy_limits_the_copies_of_a_trained_model(trained: Path) -> None:
    model = seqgen.load(trained)
    sentence = "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.\n"
    (free,) = model.texts(prompt="The", length=300, temperature=0.1, seed=1)
    assert sentence * 3 in "".join(free) and free.longest_copy > 240
    (kept,) = model.texts(prompt="The", length=3000, temperature=0.1, seed=1, max_copy=35)
    written = "".join(kept)
    assert len(written) == 3003
    assert not any(written[i : i + 36] in sentence * 3 for i in range(len(written) - 36))


def test_max_copy_limits_the_copies_of_a_model_of_music() -> None:
    corpus, _ = tunes()
    codes = StepCodes(corpus.vocabulary)
    index = index_of(corpus, codes)
    vocabulary = corpus.vocabulary

    class Knows:
        """A network that has memorised the tunes in order."""

        is_batch_invariant = True

        def initial_state(self, batch_size: int) -> np.ndarray:
            return np.zeros(batch_size, int)

        def step(self, ids: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            after = (state + 1) % len(corpus.ids)
            return 20 * np.eye(len(vocabulary))[corpus.ids[after]], after

        def gather_state(self, state: np.ndarray, rows: np.ndarray) -> np.ndarray:
            return state[rows]

    from seqgen.tasks.music.generate import MusicGenerator
    from seqgen.tasks.music.request import MusicRequest

    composer = MusicGenerator(Knows(), vocabulary, corpus.metadata(), [index])
    free = next(composer.compose(MusicRequest(bars=40), SampleConfig(seed=1, temperature=1)))
    config = SampleConfig(seed=1, temperature=1, max_copy=10)
    kept = next(composer.compose(MusicRequest(bars=40), config, scored=True))
    assert free.longest_copy > 10 >= kept.longest_copy
    assert len(kept.log_probabilities) == len(kept.tokens) > 40
    assert END not in kept.tokens
    assert re.fullmatch("no run of .* notes or more .*|.*: 10 notes", *report([index], codes,
                        [kept.longest_copy]))  # fmt: skip


def test_the_longest_copy_is_reported_in_one_line() -> None:
    index = index_of(Corpus("random", "text", LETTERS, random_ids(5000)), CODES)
    (line,) = report([index], CODES, [12, 0])
    assert line == "longest run copied from the corpus: 12 characters"
    assert report([index], CODES, [0]) == [
        f"no run of {index.shortest} characters or more is copied from the corpus"
    ]


def test_the_index_and_the_exact_search_agree_on_what_a_copy_is() -> None:
    """Intervals and times between onsets count, note lengths do not."""
    corpus, texts = tunes()
    vocabulary, codec = corpus.vocabulary, Codec("melody")
    notes = texts[3].split()[20:40]
    detached = [f"{n[:-1]}8 r/8" if n.endswith("/4") else n for n in notes]
    index = index_of(corpus, StepCodes(vocabulary))
    for played in (" ".join(notes), " ".join(detached)):
        tokens = codec.encode(codec.restrict(piece_of(played)))
        wider = Vocabulary(tuple(sorted({*tokens, *vocabulary.tokens})))
        assert longest_copies([piece_of(played)], [piece_of(each) for each in texts], codec) == [20]
        assert longest_copy([index], StepCodes(wider), wider.encode(tokens)) == 20

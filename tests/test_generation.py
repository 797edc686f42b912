"""Fake logits that spell a word show what the loop feeds, draws and stops at."""

from itertools import islice

import numpy as np

from seqgen.config import SampleConfig
from seqgen.generation import generate

LETTERS = "$abcdefghijklmnopqrstuvwxyz"
END = 0


class Speller:
    """After any letter, the likeliest is the next of the word; the state counts letters."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.fed: list[int] = []

    def initial_state(self, batch_size: int) -> int:
        assert batch_size == 1
        return 0

    def step(self, ids: np.ndarray, state: int) -> tuple[np.ndarray, int]:
        self.fed += ids.tolist()
        logits = np.zeros((1, len(LETTERS)))
        logits[0, LETTERS.index((self.word + "$")[min(state + 1, len(self.word))])] = 20
        return logits, state + 1


def spell(prompt: str, word: str, **options: object) -> str:
    config = SampleConfig(**{"temperature": 0, "length": 50, **options})
    ids = np.array([LETTERS.index(letter) for letter in prompt])
    return "".join(LETTERS[i] for i in generate(Speller(word), ids, config, end_id=END))


def test_it_goes_on_from_the_prompt_to_the_end() -> None:
    assert spell("s", "spelled") == "pelled"
    assert spell("spell", "spelled") == "ed"
    assert spell("s", "spelled", temperature=0.9) == "pelled"


def test_length_is_the_most() -> None:
    assert spell("s", "spelled", length=3) == "pel"
    assert spell("s", "spelled", length=0) == ""


def test_what_is_drawn_is_fed_back_once() -> None:
    speller = Speller("abcd")
    config = SampleConfig(temperature=0, length=50)
    list(generate(speller, np.array([1, 2]), config, end_id=END))
    assert [LETTERS[i] for i in speller.fed] == ["a", "b", "c", "d"]


def test_tokens_come_as_they_are_made() -> None:
    speller = Speller("abcdefgh")
    tokens = generate(speller, np.array([1]), SampleConfig(temperature=0), end_id=END)
    assert [LETTERS[i] for i in islice(tokens, 2)] == ["b", "c"]
    assert len(speller.fed) == 2


class Uniform:
    def initial_state(self, batch_size: int) -> tuple[()]:
        return ()

    def step(self, ids: np.ndarray, state: tuple[()]) -> tuple[np.ndarray, tuple[()]]:
        return np.zeros((1, 50)), state


def run(seed: int, item: int = 0) -> list[int]:
    config = SampleConfig(length=30, seed=seed)
    return list(generate(Uniform(), np.array([0]), config, item=item))


def test_a_seed_decides_and_each_item_has_its_own_numbers() -> None:
    assert run(1) == run(1)
    assert len({tuple(run(seed, item)) for seed in range(5) for item in range(5)}) == 25


def test_the_forbidden_is_not_drawn() -> None:
    config = SampleConfig(length=2000)
    tokens = set(generate(Uniform(), np.array([0]), config, forbidden=[3, 4]))
    assert tokens == set(range(50)) - {3, 4}


def test_an_output_may_be_forbidden_to_be_empty() -> None:
    ids = np.array([1])
    assert spell("a", "a") == ""
    config = SampleConfig(temperature=0, length=50)
    drawn = list(generate(Speller("a"), ids, config, end_id=END, may_be_empty=False))
    assert len(drawn) == 1 and drawn[0] != END

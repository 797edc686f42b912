"""Decoding of logits that spell a word: prompt, sampling and the end."""

from itertools import islice

import numpy as np
import pytest

from seqgen.config import ModelConfig
from seqgen.inference import c_engine
from seqgen.inference.c_engine import CEngine
from seqgen.inference.numpy_engine import NumpyEngine
from seqgen.network.build import build
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.constraints import BannedTokens, StopSequence
from seqgen.sampling.decode import (
    Constraint,
    DecoderState,
    GeneratedSequence,
    batches,
    gather,
    generate,
    read,
)
from seqgen.sampling.sampler import Sampler

LETTERS = "$abcdefghijklmnopqrstuvwxyz"
END = 0


class Speller:
    """The most likely letter is always the next one of the word; the state counts letters."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.fed: list[int] = []

    def initial_state(self, batch_size: int) -> np.ndarray:
        return np.zeros(batch_size, int)

    def step(self, ids: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.fed += ids.tolist()
        logits = np.zeros((len(ids), len(LETTERS)))
        for row, place in enumerate(state):
            logits[row, LETTERS.index((self.word + "$")[min(place + 1, len(self.word))])] = 20
        return logits, state + 1

    def gather_state(self, state: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return state[rows]


def spell(
    prompt: str, word: str, constraints: list[Constraint] | None = None, **options: object
) -> str:
    config = SampleConfig(**{"temperature": 0, "length": 50, **options})
    output = GeneratedSequence(config, end_id=END, constraints=constraints or [])
    engine = Speller(word)
    place = read(engine, np.array([LETTERS.index(letter) for letter in prompt]))
    for _ in generate(engine, place, Sampler(config), [output]):
        pass
    return "".join(LETTERS[i] for i in output.ids)


def test_decoding_continues_the_prompt_to_the_end_token() -> None:
    assert spell("s", "spelled") == "pelled"
    assert spell("spell", "spelled") == "ed"
    assert spell("s", "spelled", temperature=0.9) == "pelled"


def test_length_is_a_maximum() -> None:
    assert spell("s", "spelled", length=3) == "pel"
    assert spell("s", "spelled", length=0) == ""


def test_decoding_stops_at_the_stop_sequence() -> None:
    assert spell("s", "spelled", [StopSequence([LETTERS.index(each) for each in "ll"])]) == "pell"
    assert spell("s", "banana", [StopSequence([LETTERS.index(each) for each in "nana"])]) == "anana"


def test_banned_tokens_are_never_generated() -> None:
    banned = [LETTERS.index("l")]
    assert spell("s", "spelled", [BannedTokens(len(LETTERS), banned)]) == "pe"


def test_an_output_without_allowed_tokens_is_stuck() -> None:
    config = SampleConfig(length=50)
    output = GeneratedSequence(
        config, constraints=[BannedTokens(len(LETTERS), range(len(LETTERS)))]
    )
    place = read(Speller("word"), np.array([1]))
    list(generate(Speller("word"), place, Sampler(config), [output]))
    assert output.is_finished and output.is_stuck and output.ids == []


def test_every_sampled_token_is_fed_back_once() -> None:
    speller = Speller("abcd")
    config = SampleConfig(temperature=0, length=50)
    place = read(speller, np.array([1, 2]))
    list(generate(speller, place, Sampler(config), [GeneratedSequence(config, end_id=END)]))
    assert [LETTERS[i] for i in speller.fed] == [*"abcd", "$"]


def test_tokens_are_yielded_when_they_are_sampled() -> None:
    speller = Speller("abcdefgh")
    config = SampleConfig(temperature=0)
    output = GeneratedSequence(config, end_id=END)
    growing = generate(speller, read(speller, np.array([1])), Sampler(config), [output])
    assert len(list(islice(growing, 2))) == 2
    assert [LETTERS[i] for i in output.ids] == ["b", "c"]
    assert len(speller.fed) == 2


def test_every_output_stores_its_own_state() -> None:
    speller = Speller("abcdefgh")
    config = SampleConfig(temperature=0)
    outputs = [GeneratedSequence(SampleConfig(length=n, temperature=0)) for n in (1, 3)]
    place = gather(speller, read(speller, np.array([1])), [0, 0])
    list(generate(speller, place, Sampler(config), outputs))
    following = [LETTERS[int(np.argmax(each.state.logits))] for each in outputs]
    assert following == ["c", "e"]


class Uniform:
    is_batch_invariant = False

    def initial_state(self, batch_size: int) -> tuple[()]:
        return ()

    def step(self, ids: np.ndarray, state: tuple[()]) -> tuple[np.ndarray, tuple[()]]:
        return np.zeros((len(ids), 50)), state

    def gather_state(self, state: tuple[()], rows: np.ndarray) -> tuple[()]:
        return state


def run(seed: int, item: int = 0, **options: object) -> list[int]:
    config = SampleConfig(length=30, seed=seed)
    output = GeneratedSequence(config, item, **options)
    list(generate(Uniform(), DecoderState(np.zeros((1, 50)), ()), Sampler(config), [output]))
    return output.ids


def test_the_seed_determines_the_outputs_and_items_differ() -> None:
    assert run(1) == run(1)
    assert len({tuple(run(seed, item)) for seed in range(5) for item in range(5)}) == 25


def test_an_empty_output_can_be_forbidden() -> None:
    assert spell("a", "a") == ""
    assert all(run(seed, end_id=0, may_be_empty=False) for seed in range(200))
    assert not all(run(seed, end_id=0) for seed in range(200))


def test_scores_are_those_of_the_model() -> None:
    ids, scores = [], []
    for temperature in (0.5, 2.0):
        config = SampleConfig(length=4, temperature=temperature)
        output = GeneratedSequence(config, scored=True, constraints=[BannedTokens(50, [0])])
        list(generate(Uniform(), DecoderState(np.zeros((1, 50)), ()), Sampler(config), [output]))
        ids += output.ids
        scores += output.log_probabilities
    assert len(scores) == len(ids) == 8
    np.testing.assert_allclose(scores, -np.log(50))


def test_batches_have_every_item_once_and_the_same_sizes_for_any_count() -> None:
    for count in (1, 2, 17, 18, 64, 65, 66, 300):
        found = list(batches(count, Uniform()))
        assert [item for items, _ in found for item in items] == list(range(count))
        assert all(len(items) <= rows for items, rows in found)
        shapes = [(items.start, rows) for items, rows in found]
        assert shapes == [(i.start, r) for i, r in batches(10_000, Uniform())][: len(shapes)]


@pytest.mark.parametrize("kind", [NumpyEngine, CEngine])
@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
def test_an_item_does_not_depend_on_the_count(cell: str, kind: type) -> None:
    config = ModelConfig(cell=cell, units=48, layers=2)
    if kind is CEngine and not c_engine.supports(config):
        kind = NumpyEngine  # the C library is not compiled
    runtime = kind(config, [3 * w for w in build(config, vocabulary_size=30).get_weights()])
    sampling = SampleConfig(length=40, seed=7, temperature=1)
    place = read(runtime, np.array([3]))

    def items(count: int) -> list[list[int]]:
        outputs = []
        for numbers, rows in batches(count, runtime):
            batch = [GeneratedSequence(sampling, item) for item in numbers]
            spread = gather(runtime, place, [0] * rows)
            list(generate(runtime, spread, Sampler(sampling), batch))
            outputs += batch
        return [output.ids for output in outputs]

    most = items(70)
    assert len({tuple(each) for each in most}) == 70
    for count in (1, 2, 8, 17, 18, 65):
        assert items(count) == most[:count]


def test_a_second_part_continues_the_temperature_schedule() -> None:
    config = SampleConfig(
        length=8, temperature_schedule=(0, 3.0, 0.5), repetition_penalty=2, repetition_window=6
    )
    whole, first, second = (
        GeneratedSequence(config),
        GeneratedSequence(SampleConfig(length=4)),
        GeneratedSequence(config),
    )
    logits = np.random.default_rng(0).normal(0, 1, (1, 9))

    class Always:
        def initial_state(self, batch_size: int) -> tuple[()]:
            return ()

        def step(self, ids: np.ndarray, state: tuple[()]) -> tuple[np.ndarray, tuple[()]]:
            return logits, state

        def gather_state(self, state: tuple[()], rows: np.ndarray) -> tuple[()]:
            return state

    place, sampler = DecoderState(logits, ()), Sampler(config)
    for _ in generate(Always(), place, sampler, [whole], [3, 5]):
        pass
    for _ in generate(Always(), place, sampler, [first], [3, 5]):
        pass
    second.length, second.random = 4, first.random
    for _ in generate(Always(), place, sampler, [second], [3, 5, *first.ids], drawn=4):
        pass
    assert first.ids + second.ids == whole.ids

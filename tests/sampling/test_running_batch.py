"""Outputs that join and leave a batch are the same as alone."""

from pathlib import Path

import numpy as np
import pytest

import seqgen
from seqgen.config import ModelConfig
from seqgen.inference.c_engine import CEngine
from seqgen.inference.engine import Engine, choose
from seqgen.inference.keras_engine import KerasEngine
from seqgen.inference.numpy_engine import NumpyEngine
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.constraints import BannedTokens
from seqgen.sampling.decode import GeneratedSequence, gather, generate, read
from seqgen.sampling.running_batch import RunningBatch, Stream
from seqgen.sampling.sampler import Sampler
from tests.conftest import compiled

SIZE = 12
CONFIG = ModelConfig(units=16, layers=2, embedding=8)
OPTIONS: list[dict[str, object]] = [
    {"temperature": 1.0},
    {"temperature": 1.0, "top_p": 0.9},
    {"temperature": 0.5, "repetition_penalty": 1.5, "repetition_window": 3},
    {"temperature": 1.0},
    {"temperature_schedule": (0.5, 1.5, 2.0)},
    {"temperature": 0},
]


def weights(config: ModelConfig) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    shapes = [shape for shapes in config.weight_shapes(SIZE) for shape in shapes]
    return [random.normal(0, 0.5, shape).astype(np.float32) for shape in shapes]


def output(item: int, constrained: bool) -> GeneratedSequence:
    options = OPTIONS[item % len(OPTIONS)]
    config = SampleConfig(length=5 + 3 * item, seed=7, **options)
    constraints = [BannedTokens(SIZE, [2, 3])] if constrained else []
    return GeneratedSequence(config, item, end_id=1, constraints=constraints, scored=item == 0)


def sampler(item: int) -> Sampler:
    return Sampler(SampleConfig(**OPTIONS[item % len(OPTIONS)]))


@compiled
def test_outputs_that_join_later_are_the_same_as_alone() -> None:
    engine = CEngine(CONFIG, weights(CONFIG))
    alone = []
    for item in range(10):
        alone.append(output(item, item % 3 == 0))
        start = gather(engine, read(engine, np.array([4, item])), [0])
        for _ in generate(engine, start, sampler(item), [alone[-1]], [4, item]):
            pass
    batch, streams = RunningBatch(engine, capacity=4), []
    for item in range(10):
        start = read(engine, np.array([4, item]))
        streams.append(Stream(output(item, item % 3 == 0), start, sampler(item), [4, item], 2))
    waiting, left = [*streams], []
    while len(left) < len(streams):
        joining = waiting[: min(batch.free, 2)]
        batch.add(joining)
        waiting = waiting[len(joining) :]
        left += batch.step()
    assert [stream.output.ids for stream in streams] == [each.ids for each in alone]
    assert streams[0].output.log_probabilities == alone[0].log_probabilities
    for token, score, likely in zip(
        streams[0].output.ids, alone[0].log_probabilities, streams[0].likely, strict=True
    ):
        assert len(likely) == 2 and likely[0].log_probability >= likely[1].log_probability
        assert dict(likely).get(token, score) == score


@pytest.mark.parametrize("kind", ["numpy", "c", "keras", "lags", "mixed"])
def test_states_of_every_engine_are_concatenated(
    kind: str, trained: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "c":
        request.getfixturevalue("c_library")
    lagged = ModelConfig(units=16, layers=1, embedding=8, lags=(2, 3))
    engines = {
        "numpy": lambda: NumpyEngine(CONFIG, weights(CONFIG)),
        "c": lambda: CEngine(CONFIG, weights(CONFIG)),
        "keras": lambda: KerasEngine(CONFIG, weights(CONFIG)),
        "lags": lambda: choose(lagged, weights(lagged)),
        "mixed": lambda: seqgen.load(trained).engine,
    }
    engine: Engine = engines[kind]()
    first, second = read(engine, np.array([4, 5])), read(engine, np.array([6]))
    both = engine.concatenate_states([first.state, second.state])
    logits, _ = engine.step(np.array([7, 8]), both)
    expected = [engine.step(np.array([7]), first.state)[0][0],
                engine.step(np.array([8]), second.state)[0][0]]  # fmt: skip
    np.testing.assert_allclose(logits, expected, atol=1e-5)


def test_engines_that_are_not_batch_invariant_get_one_stream_at_a_time() -> None:
    engine = NumpyEngine(CONFIG, weights(CONFIG))
    batch = RunningBatch(engine)
    start = read(engine, np.array([4]))
    streams = [Stream(output(0, False), start, sampler(0)) for _ in range(2)]
    assert batch.free == 1
    with pytest.raises(ValueError, match="expected at most 1 streams, got 2"):
        batch.add(streams)
    batch.add(streams[:1])
    batch.remove(streams)
    assert batch.free == 1 and batch.step() == []

"""The interface of Python and C: checks of arguments, and `SEQGEN_NATIVE`."""

import ctypes
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from seqgen import native
from seqgen.config import ModelConfig
from seqgen.errors import SeqgenError
from seqgen.inference.c_engine import CEngine
from seqgen.native import BAD_ARGUMENT, CELLS, ISAS, OK, instruction_sets, library
from seqgen.network.build import build
from seqgen.sampling.c_sampler import CSampler
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.sampler import Sampler
from tests.conftest import compiled


def engine(**options: object) -> CEngine:
    config = ModelConfig(**{"units": 32, "embedding": 8, **options})
    return CEngine(config, build(config, 20, seed=1).get_weights())


def run(value: str, program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "SEQGEN_NATIVE": value},
        capture_output=True, text=True,
    )  # fmt: skip


def test_an_unknown_value_of_the_variable_is_one_line() -> None:
    program = "from seqgen import native; native.library()"
    done = run("avx3", program)
    expected = "SEQGEN_NATIVE: expected one of avx512_bf16, avx512, avx2, plain or 0, got 'avx3'"
    assert expected in done.stderr.splitlines()[-1]


@compiled
@pytest.mark.parametrize("isa", ISAS)
def test_an_instruction_set_is_used_or_refused(isa: str) -> None:
    program = "from seqgen import native; print(*native.instruction_sets())"
    done = run(isa, program)
    if library().processor_has(ISAS.index(isa)):
        assert done.stdout.split()[0] == isa
        assert set(done.stdout.split()) <= set(ISAS[ISAS.index(isa) :])
    else:
        assert f"this processor lacks {isa}; expected one of" in done.stderr.splitlines()[-1]


def test_0_does_without_the_library() -> None:
    program = "from seqgen import native; print(native.library(), native.instruction_sets())"
    assert run("0", program).stdout == "None ()\n"


@compiled
def test_a_library_of_another_version_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "VERSION", 999)
    with pytest.raises(native.SeqgenError, match="compiled for another version.*install seqgen"):
        native.library.__wrapped__()


@compiled
def test_plain_is_only_used_where_there_is_no_other() -> None:
    sets = instruction_sets()
    assert sets and ("plain" not in sets or sets == ("plain",))


@compiled
def test_windows_out_of_range_are_refused() -> None:
    from seqgen.network.kernels.c_loop import Window

    arrays = {name: np.zeros(4096, np.float32) for name in ("weights", "packed")}
    addresses = {name: array.ctypes.data for name, array in arrays.items()}
    good = {"isa": ISAS.index("plain"), "cell": 0, "units": 16, "width": 4, "steps": 0, "batch": 8}
    pack = library().window_pack_forward
    assert pack(ctypes.byref(Window(**good, **addresses))) == OK
    for wrong in (
        {"isa": 9}, {"isa": -1}, {"cell": 3}, {"cell": -1}, {"units": 17}, {"units": 0},
        {"units": -16}, {"width": -1}, {"batch": 4}, {"batch": 0}, {"steps": -1},
    ):  # fmt: skip
        assert pack(ctypes.byref(Window(**{**good, **wrong}, **addresses))) == BAD_ARGUMENT, wrong
    for missing in addresses:
        some = {name: address for name, address in addresses.items() if name != missing}
        assert pack(ctypes.byref(Window(**good, **some))) == BAD_ARGUMENT, missing
    # All other functions that the loops need are missing here.
    for work in (library().window_forward, library().window_backward):
        assert work(ctypes.byref(Window(**good, **addresses))) == BAD_ARGUMENT


@compiled
def test_a_state_of_another_number_of_streams_is_refused() -> None:
    runs = engine()
    with pytest.raises(ValueError, match=r"state: expected float32 of shape \(3, "):
        runs.step(np.array([1, 2, 3]), runs.initial_state(1))
    with pytest.raises(ValueError, match="state: expected"):
        runs.step(np.array([[1], [2]]), runs.initial_state(2))
    for wrong in (20, -1, 2**40):
        with pytest.raises(IndexError):
            runs.step(np.array([wrong]), runs.initial_state(1))


@compiled
@pytest.mark.parametrize("number", range(6))
def test_weights_of_other_shapes_are_refused(number: int) -> None:
    config = ModelConfig("gru", units=16, embedding=3)
    weights = [np.ones(shape) for layer in config.weight_shapes(20) for shape in layer]
    CEngine(config, weights)  # of another float type: converted
    for wrong in (
        np.repeat(weights[number], 2, axis=-1),
        weights[number][:-1],
        weights[number][None],
    ):
        with pytest.raises(ValueError, match=r"weights: expected shapes \[\("):
            CEngine(config, [*weights[:number], wrong, *weights[number + 1 :]])


@compiled
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_nothing_is_drawn_from_logits_that_are_not_finite(wrong: float) -> None:
    logits = np.zeros((2, 5), np.float32)
    logits[1, 3] = wrong
    sampler = Sampler(SampleConfig(top_k=2))
    none, numbers = np.empty((2, 0), int), np.array([0.5, 0.5])
    for _ in range(2):  # in C, then in NumPy
        with pytest.raises(SeqgenError, match="the network gives NaN or infinity"):
            sampler(logits, none, numbers, 0)
        sampler.compiled = None


@compiled
def test_arrays_of_a_window_are_measured() -> None:
    from seqgen.network.kernels import c_loop

    cell, units, batch_size = CELLS.index("gru"), 16, 16
    inputs, kernel = np.zeros((3, 2, batch_size), np.float32), np.ones((3, 48), np.float32)
    recurrent = c_loop._pack(
        cell, units, batch_size, "window_pack_forward", np.ones((units, 48), np.float32)
    )
    bias, state = np.zeros((2, 48), np.float32), np.zeros((units, batch_size), np.float32)
    good = {
        "inputs": inputs,
        "kernel": kernel,
        "recurrent": recurrent,
        "bias": bias,
        "state": state,
    }
    outputs, *_ = c_loop._forward(cell, 5, np.float32, *good.values())
    assert outputs.shape == (units, 2, batch_size)
    for name in ("recurrent", "bias"):
        with pytest.raises(
            ValueError, match="expected .* contiguous bytes for a window of 16 units"
        ):
            c_loop._forward(cell, 5, np.float32, *{**good, name: good[name][:-1]}.values())
    with pytest.raises(ValueError, match="hidden: expected"):
        c_loop._forward(cell, 5, np.float32, inputs, kernel, recurrent, bias, state[:, ::2])


@compiled
@pytest.mark.parametrize("wrong", [5, -1, 2**40])
def test_a_recent_id_out_of_range_is_refused(wrong: int) -> None:
    sampler = CSampler(SampleConfig(repetition_penalty=2))
    logits, numbers = np.zeros((2, 5), np.float32), np.array([0.5, 0.5])
    with pytest.raises(ValueError, match="out of range"):
        sampler(logits, np.array([[0], [wrong]]), numbers, 1.0)
    with pytest.raises(ValueError, match=r"numbers: expected float64 of shape \(2,\)"):
        sampler(logits, np.array([[0], [1]]), numbers[:1], 1.0)
    with pytest.raises(ValueError, match="allowed: expected bool of shape"):
        sampler(logits, np.array([[0], [1]]), numbers, 1.0, np.ones((1, 5), bool))


@compiled
def test_eight_threads_share_an_engine_and_a_sampler() -> None:
    runs, sampler = engine(units=256, layers=2), CSampler(SampleConfig(top_k=15))
    none = np.empty((4, 0), int)

    def write(seed: int) -> list[int]:
        random = np.random.default_rng(seed)
        ids, state = random.integers(0, 20, 4), runs.initial_state(4)
        written = []
        for _ in range(150):
            logits, state = runs.step(ids, state)
            ids = sampler(logits, none, random.random(4), 1.0)
            written += ids.tolist()
        return written

    alone = [write(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, range(8))) == alone

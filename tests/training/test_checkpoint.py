import errno
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.corpus.corpus import Corpus
from seqgen.errors import CheckpointError, OutputError
from seqgen.tasks.load import load_corpus
from seqgen.training import checkpoint, setup
from seqgen.training.callbacks import Callback
from seqgen.training.checkpointer import Checkpointer
from seqgen.training.request import RunInputs, RunRequest
from seqgen.training.state import RunState
from seqgen.vocabulary import Vocabulary
from tests.conftest import SENTENCE

ARRAYS = {"weights": [np.arange(6.0).reshape(2, 3), np.zeros(0)], "one": [np.float32(3)]}
FACTS = {"place": {"step": 3, "random": {"state": 2**100}}}


@given(st.integers(0, 12), st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False)))
def test_round_trip(count: int, facts: dict[str, float]) -> None:
    arrays = {"a": [np.full((2, i), i, np.float32) for i in range(count)]}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.checkpoint"
        checkpoint.save(path, {"facts": facts}, arrays)
        loaded, back = checkpoint.load(path)
    assert loaded["facts"] == facts
    assert len(back.get("a", [])) == count
    assert all((a == b).all() for a, b in zip(arrays["a"], back.get("a", []), strict=True))


def test_large_integers_are_restored(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    checkpoint.save(path, FACTS, ARRAYS)
    facts, arrays = checkpoint.load(path)
    assert facts["place"] == FACTS["place"]
    assert {name: [array.shape for array in row] for name, row in arrays.items()} == {
        "weights": [(2, 3), (0,)], "one": [()],
    }  # fmt: skip


def test_a_full_disk_leaves_the_previous_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.checkpoint"
    checkpoint.save(path, FACTS, ARRAYS)
    before = path.read_bytes()

    def full(file: object, **arrays: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OutputError, match="No space left on device; an existing file is kept"):
        checkpoint.save(path, FACTS, ARRAYS)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("length", [0, 10, 300, -30])
def test_a_damaged_checkpoint_is_an_error(length: int, tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    checkpoint.save(path, FACTS, ARRAYS)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointError, match="is damaged and cannot be read"):
        checkpoint.load(path)


def test_another_version_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.checkpoint"
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "FORMAT_VERSION", 99)
        checkpoint.save(path, FACTS, ARRAYS)
    with pytest.raises(CheckpointError, match="version 99, this seqgen reads version 3"):
        checkpoint.load(path)


def test_unknown_options_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a"
    corpus = Corpus("ab", "text", Vocabulary(("a", "b")), np.arange(500) % 2)
    inputs = RunInputs(RunRequest({}, resume=True), corpus, checkpoint_path=path)
    run = {"model_config": {}, "train_config": {"momentum": 1}, "corpus": {"vocabulary": ["a"]}}
    for saved, message in [(run, "TrainConfig has no field momentum"), ({}, "'model_config'")]:
        checkpoint.save(path, saved, ARRAYS)
        with pytest.raises(CheckpointError, match=f"a is damaged and .*{message}.*train again"):
            setup.resolve(inputs, Callback())
    checkpoint.save(path, FACTS, ARRAYS)
    with pytest.raises(CheckpointError, match="a is damaged and cannot be read .*corpus_options"):
        checkpoint.corpus_options(path)


def test_differences_are_named() -> None:
    saved = {"a": {"units": 3, "cell": "gru"}, "b": {"text": "x" * 100}}
    checkpoint.require_same(Path("c"), saved, saved)
    other = {"a": {"units": 4, "cell": "gru"}, "b": {"text": "y" * 100}}
    with pytest.raises(CheckpointError, match='units 3, here 4; text "xxx[x]*..., here "yyy'):
        checkpoint.require_same(Path("c"), saved, other)


SAVED = Path(__file__).parents[1] / "saved" / "text-0.1.checkpoint"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The corpus of the saved checkpoint."""
    path = tmp_path_factory.mktemp("text") / "book.txt"
    path.write_text(SENTENCE * 200, encoding="utf-8")
    return load_corpus(path)


def restore(path: Path, corpus: Corpus) -> None:
    inputs = RunInputs(RunRequest({}, resume=True), corpus, checkpoint_path=path)
    resolved = setup.resolve(inputs, Callback())
    Checkpointer(resolved, Callback()).restore(RunState(resolved))


@pytest.mark.parametrize(
    "place, value, message",
    [
        (("place", "step"), "3", "place.step: expected a whole number"),
        (
            ("place", "schedule", "elapsed"),
            float("nan"),
            "place.schedule.elapsed: expected a number",
        ),
        (("place", "batches", "random", "uinteger"), -1, "uinteger: expected a whole number"),
        (("place", "batches", "positions"), [0], "batches: expected 8 positions"),
        (("place", "best_weights", "best_loss"), None, "best: expected no arrays"),
        (("place", "history"), [{"step": []}], r"place.history\[0\].step: expected a number"),
        (("model_config", "units"), 16_000, r"variables: expected weights of shape \(8, 48000\)"),
        (("model_config", "layers"), 1e19, "layers: expected a whole number"),
        (("corpus", "vocabulary"), [], "vocabulary: expected a list of 1"),
    ],
)
def test_every_fact_is_checked(
    place: tuple[str, ...], value: object, message: str, tmp_path: Path, corpus: Corpus
) -> None:
    facts, arrays = checkpoint.load(SAVED)
    holder = facts
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = value
    checkpoint.save(tmp_path / "a.checkpoint", facts, arrays)
    with pytest.raises(CheckpointError, match=f"a.checkpoint is damaged .*{message}"):
        restore(tmp_path / "a.checkpoint", corpus)


@pytest.mark.parametrize("name", ["variables", "state", "best"])
def test_arrays_have_the_shapes_of_the_run(name: str, tmp_path: Path, corpus: Corpus) -> None:
    facts, arrays = checkpoint.load(SAVED)
    for wrong in (arrays[name][:-1], [*arrays[name][:-1], np.zeros((3, 5), np.float32)]):
        checkpoint.save(tmp_path / "a.checkpoint", facts, {**arrays, name: wrong})
        with pytest.raises(CheckpointError, match=f"{name}: expected"):
            restore(tmp_path / "a.checkpoint", corpus)
    restore(SAVED, corpus)


def test_a_header_that_promises_more_than_there_is(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    checkpoint.save(path, FACTS, {"a": [np.zeros(3, np.float32)]})
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(path.with_suffix(".new"), "w") as new:
        for member in old.namelist():
            data = old.read(member).replace(b"(3,), }         ", b"(3000000000,), }")
            new.writestr(member, data)
    with pytest.raises(
        CheckpointError, match=r"a/0.npy: expected float32 of shape \(3000000000,\)"
    ):
        checkpoint.load(path.with_suffix(".new"))


def test_a_header_that_is_no_header(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    checkpoint.save(path, FACTS, {})
    head = b"{'descr': '<f4', 'shape': ((((".ljust(118) + b"\n"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("a/0.npy", b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head)
    with pytest.raises(CheckpointError, match="a/0.npy: expected a header of NumPy"):
        checkpoint.load(path)


def test_options_of_another_task_are_refused(tmp_path: Path) -> None:
    facts, arrays = checkpoint.load(SAVED)
    facts["corpus_options"]["encoding"] = 5
    checkpoint.save(tmp_path / "a.checkpoint", facts, arrays)
    with pytest.raises(CheckpointError, match="corpus.options.encoding: expected a text"):
        checkpoint.corpus_options(tmp_path / "a.checkpoint")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.checkpoint")
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        checkpoint.load(tmp_path / "a.checkpoint")


def test_a_name_that_is_too_long_is_an_error_of_one_line() -> None:
    path = Path(300 * "x")
    with pytest.raises(CheckpointError, match="cannot be read"):
        checkpoint.load(path)
    with pytest.raises(OutputError, match="cannot be renamed"):
        checkpoint.put_aside(path)

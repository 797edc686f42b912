import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.corpus.corpus import Corpus
from seqgen.errors import CheckpointError, OutputError
from seqgen.training import checkpoint, setup
from seqgen.training.callbacks import Callback
from seqgen.training.request import RunInputs, RunRequest
from seqgen.vocabulary import Vocabulary

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

import hashlib
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.corpus import sources
from seqgen.corpus.sources import Source, from_path
from seqgen.errors import CorpusError


def labels(found: list[Source] | None) -> list[str]:
    return [Path(source.label).name for source in found or []]


def test_a_folder_is_read_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a/.hidden", ".git/config", "c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = from_path(str(tmp_path))
    assert labels(found) == ["z.txt", "b.txt", "c.txt"]
    assert found is not None and all(source.optional for source in found)


def test_a_glob_is_sorted_and_a_file_of_that_name_takes_precedence(tmp_path: Path) -> None:
    for name in ("2.txt", "1.txt", "3.md", "[1].txt"):
        (tmp_path / name).write_text("x")
    assert labels(from_path(f"{tmp_path}/?.txt")) == ["1.txt", "2.txt"]
    assert labels(from_path(f"{tmp_path}/[1].txt")) == ["[1].txt"]
    assert from_path(f"{tmp_path}/*.none") is None


@given(st.lists(st.binary()))
def test_sha256_is_that_of_the_concatenated_sources(parts: list[bytes]) -> None:
    expected = hashlib.sha256(b"".join(parts)).hexdigest()
    assert sources.sha256(Source("part", data=part) for part in parts) == expected


def test_chunks_add_up_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(bytes(range(250)))
    monkeypatch.setattr(sources, "CHUNK_BYTES", 7)
    source = Source("a", path)
    assert b"".join(source.chunks()) == path.read_bytes()
    assert source.size == 250


@pytest.mark.parametrize("name", ["x" * 300, "~nosuchuser/x"])
def test_an_invalid_file_name_is_an_error(name: str) -> None:
    with pytest.raises(CorpusError, match="is not a readable path"):
        from_path(name)


def test_a_pipe_is_read_into_memory(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_bytes, args=(b"through",)).start()
    found = from_path(str(pipe))
    assert found is not None
    assert [b"".join(source.chunks()) for source in found * 2] == [b"through"] * 2


def test_a_deleted_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be read: No such file"):
        Source("gone", tmp_path / "gone").open()

import hashlib
import io
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.corpus import sources, special_files
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


def test_numbers_in_names_are_sorted_by_value(tmp_path: Path) -> None:
    names = [f"part{part}/chapter{n}.txt" for part in (2, 10) for n in (1, 2, 10, 100)]
    for name in reversed(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    in_order = [Path(name).name for name in names]
    assert labels(from_path(str(tmp_path))) == in_order
    assert labels(from_path(f"{tmp_path}/*/*.txt")) == in_order


@pytest.mark.parametrize("names", [["1", "01", "001"], ["a", "1", "B", "٣", "2b", "²"]])
def test_all_names_can_be_sorted(names: list[str]) -> None:
    paths = [Path(name) for name in names]
    backwards = [*reversed(paths)]
    assert sorted(paths, key=sources.natural_key) == sorted(backwards, key=sources.natural_key)


def test_an_empty_name_is_not_the_current_folder() -> None:
    with pytest.raises(CorpusError, match="got an empty text"):
        from_path("")


def test_a_pipe_without_a_writer_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(special_files, "SECONDS_TO_WAIT", 0.01)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(CorpusError, match="is a pipe, and no program has written to it"):
        from_path(str(pipe))


def test_a_slow_writer_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(special_files, "SECONDS_TO_WAIT", 0.01)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    both = os.open(pipe, os.O_RDWR)  # keeps the pipe open without writing
    timer = threading.Timer(0.1, lambda: (os.write(both, b"late"), os.close(both)))
    timer.start()
    found = from_path(str(pipe))
    timer.join()
    assert found is not None and found[0].data == b"late"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="only POSIX has devices")
@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null"])
def test_a_device_is_an_error(name: str) -> None:
    with pytest.raises(CorpusError, match=f"{name} is a device; expected a file"):
        from_path(name)


def test_an_endless_pipe_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(special_files, "MOST_BYTES", 10)
    assert special_files.read_stream(io.BytesIO(b"x" * 10), "pipe") == b"x" * 10
    with pytest.raises(CorpusError, match="pipe: expected at most 10 bytes"):
        special_files.read_stream(io.BytesIO(b"x" * 11), "pipe")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="only Linux has /proc")
def test_a_file_that_cannot_be_read_is_an_error() -> None:
    found = from_path("/proc/self/mem")
    assert found is not None
    for read in (lambda: list(found[0].chunks()), lambda: found[0].head(9)):
        with pytest.raises(CorpusError, match="/proc/self/mem cannot be read: Input/output error"):
            read()


def test_a_file_that_vanished_has_no_size(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="gone cannot be read: No such file"):
        Source("gone", tmp_path / "gone").size  # noqa: B018

import os
import stat
from pathlib import Path

import pytest

from seqgen.errors import OutputError
from seqgen.utils.atomic_files import atomic_write, unused_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_failed_write_leaves_no_partial_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_write(target) as path:
        path.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_is_reported_and_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(OutputError, match="No space left"), atomic_write(target) as path:
        path.write_text("half")
        with Path("/dev/full").open("w") as full:  # a real full device
            full.write("x")
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_an_existing_file_is_replaced_or_kept(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    for text, keep in (("1", False), ("2", False), ("3", True), ("4", True)):
        with atomic_write(target, keep=keep) as path:
            path.write_text(text)
    assert target.read_text() == "4"
    assert (tmp_path / "a-1.txt").read_text() == "2"
    assert (tmp_path / "a-2.txt").read_text() == "3"
    assert unused_path(target) == tmp_path / "a-3.txt"


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "a.txt") as path:
            path.write_text("x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize("name, message", [("missing/a.txt", "no folder"), (".", "is a folder")])
def test_a_folder_without_write_permission_is_an_error(
    tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(OutputError, match=message), atomic_write(tmp_path / name):
        pytest.fail("the block must not run")


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="cannot be written|not written"),
        atomic_write(tmp_path / ("x" * 300)),
    ):
        pytest.fail("the block must not run")


def test_a_special_file_is_written_in_place(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with atomic_write(pipe, keep=True) as path, path.open("w") as file:
        file.write("through")
    assert os.read(reader, 99) == b"through"
    os.close(reader)
    assert names(tmp_path) == ["pipe"] and pipe.is_fifo()

import errno
import os
import stat
import time
from pathlib import Path

import pytest

from seqgen.errors import OutputError
from seqgen.utils import atomic_files
from seqgen.utils.atomic_files import atomic_write, renamed_to, require_writable, unused_path


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


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("second")
    (tmp_path / "second").symlink_to(tmp_path / "folder" / "real")
    for text in ("1", "2"):  # the link dangles at first
        with atomic_write(tmp_path / "link", keep=True) as path:
            path.write_text(text)
    assert names(tmp_path) == ["folder", "link", "second"]
    assert (tmp_path / "link").is_symlink() and (tmp_path / "second").is_symlink()
    assert (tmp_path / "folder/real").read_text() == "2"
    assert (tmp_path / "folder/real-1").read_text() == "1"
    assert renamed_to(tmp_path / "link") == tmp_path / "folder/real-2"


def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OutputError, match="levels of symbolic links"):
        require_writable(tmp_path / "a")
    assert renamed_to(tmp_path / "a") is None


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux has /proc")
def test_an_open_file_is_written_at_its_position(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as log:
        log.write("before ")
        log.flush()
        (tmp_path / "link").symlink_to(f"/proc/self/fd/{log.fileno()}")
        with atomic_write(tmp_path / "link", keep=True) as path:
            path.write_text("between ")
        log.write("after")
    assert (tmp_path / "log").read_text() == "before between after"
    assert names(tmp_path) == ["link", "log"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
def test_a_device_is_not_replaced() -> None:
    message = "/dev/full cannot be written: No space left"
    with pytest.raises(OutputError, match=message), atomic_write(Path("/dev/full")) as path:
        path.write_text("x")
    assert Path("/dev/full").is_char_device()
    require_writable(Path("/dev/null"))


def test_a_pipe_without_a_reader_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic_files, "SECONDS_TO_WAIT", 0.0)
    os.mkfifo(tmp_path / "pipe")
    message = "is a pipe, and no program has read from it"
    with pytest.raises(OutputError, match=message), atomic_write(tmp_path / "pipe") as path:
        path.write_text("x")


def test_a_process_that_is_killed_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    """At no moment is there no file of the name."""
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: pytest.fail("killed"))  # the last thing it does
        with pytest.raises(pytest.fail.Exception), atomic_write(target, keep=True) as path:
            path.write_text("new")
    assert target.read_text() == "old"


def test_without_hard_links_files_are_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)
    for text in "12":
        with atomic_write(tmp_path / "a", keep=True) as path:
            path.write_text(text)
    assert ((tmp_path / "a").read_text(), (tmp_path / "a-1").read_text()) == ("2", "1")


def test_a_name_that_another_process_takes_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("1")
    link = os.link

    def late(source: Path, other: Path) -> None:
        if other.name == "a-1" and not other.exists():
            other.write_text("of another process")
        link(source, other)

    monkeypatch.setattr(os, "link", late)
    with atomic_write(tmp_path / "a", keep=True) as path:
        path.write_text("2")
    assert [(tmp_path / name).read_text() for name in names(tmp_path)] == [
        "2", "of another process", "1"
    ]  # fmt: skip


def test_abandoned_folders_are_removed(tmp_path: Path) -> None:
    for name, age in ((".seqgen-old", 7200), (".seqgen-new", 0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part").touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    with atomic_write(tmp_path / "a") as path:
        path.touch()
    assert names(tmp_path) == [".seqgen-new", "a"]


def test_long_names_are_shortened_for_a_number(tmp_path: Path) -> None:
    path = tmp_path / f"{'é' * 125}.txt"  # 254 bytes
    path.touch()
    assert unused_path(path).name == f"{'é' * 124}-1.txt"
    with pytest.raises(OutputError, match="File name too long; choose a shorter name"):
        require_writable(tmp_path / ("x" * 256))

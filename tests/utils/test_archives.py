import io
import os
import zipfile
from pathlib import Path

import pytest

from seqgen.utils.archives import open_archive, open_regular


def packed(data: bytes, method: int) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as archive:
        archive.writestr("a", data)
    return memory.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_read_up_to_a_limit(method: int) -> None:
    with open_archive(packed(b"hello" * 10, method)) as archive:
        assert archive.read("a", 50) == b"hello" * 10
        with pytest.raises(ValueError, match="a: expected at most 49 bytes, got 50"):
            archive.read("a", 49)
        with pytest.raises(ValueError, match="b is missing"):
            archive.read("b", 50)


def test_bombs_are_refused() -> None:
    with (
        open_archive(packed(bytes(10**7), zipfile.ZIP_DEFLATED)) as archive,
        pytest.raises(ValueError, match="expected at most 64 times its"),
    ):
        archive.read("a", 10**8)
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with (
            open_archive(packed(b"a" * 99, method)) as archive,
            pytest.raises(ValueError, match="a: expected a member that is stored or deflated"),
        ):
            archive.read("a", 100)


def test_an_archive_of_very_many_members_is_not_listed() -> None:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for i in range(25_000):
            archive.writestr(str(i), b"")
    with (
        pytest.raises(zipfile.BadZipFile, match="too many members"),
        open_archive(memory.getvalue()),
    ):
        pass


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"hello")
    with open_regular(tmp_path / "a") as file:
        assert file.read() == b"hello"
    with pytest.raises(OSError, match="it is a folder"):
        open_regular(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        for path in (tmp_path / "pipe", Path("/dev/zero")):
            with pytest.raises(OSError, match="it is a device or a pipe"):
                open_regular(path)

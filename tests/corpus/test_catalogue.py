import hashlib
import importlib.util
import io
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pooch
import pytest

from seqgen.corpus import catalogue
from seqgen.corpus.catalogue import Entry, cache_folder, find, read_catalogue
from seqgen.corpus.installed import INSTALLED
from seqgen.errors import CorpusError, DownloadError
from seqgen.tasks import base, detect

BOOK = "\ufeffheader\r\n*** START OF IT ***\r\nIt was.\r\n*** END OF IT ***\r\nlicence\r\n".encode()


@dataclass
class Server:
    """The response of a local web server, and the number of its requests."""

    url: str
    body: bytes
    status: int = 200
    missing: int = 0  # bytes promised and never sent
    requests: int = 0
    asked: str = ""  # the last path


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests += 1
            state.asked = self.path
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(state.body) + state.missing))
            self.end_headers()
            self.wfile.write(state.body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        state = Server(f"http://127.0.0.1:{listening.server_port}/book.txt", BOOK)
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield state
        listening.shutdown()


@pytest.fixture
def entry(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))
    digest = hashlib.sha256(BOOK).hexdigest()
    return Entry("book", "a book", "a test", "none", server.url, digest, 7, "*** START", "*** END")


def downloads() -> list[str]:
    folder = cache_folder() / "downloads"
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


def test_a_download_is_verified_cached_and_trimmed(server: Server, entry: Entry) -> None:
    level = pooch.get_logger().level
    assert not entry.is_here
    for _ in range(2):
        (source,) = entry.read()
        assert source.data.decode().strip() == "It was."
    assert entry.is_here
    assert server.requests == 1
    assert pooch.get_logger().level == level  # it belongs to the process
    assert downloads() == ["book.txt"]


def test_a_tampered_download_is_deleted(server: Server, entry: Entry) -> None:
    server.body = BOOK + b"!"
    with pytest.raises(
        DownloadError, match=f"book: expected a file with the SHA-256 .*{server.url}, got"
    ):
        entry.read()
    assert downloads() == []


def test_an_interrupted_download_leaves_no_file(server: Server, entry: Entry) -> None:
    server.missing = 100
    with pytest.raises(DownloadError, match="could not be downloaded"):
        entry.read()
    assert downloads() == []


def test_an_http_error_is_reported(server: Server, entry: Entry) -> None:
    server.status = 404
    with pytest.raises(DownloadError, match=r"could not be downloaded .*HTTPError"):
        entry.read()
    assert downloads() == []


def test_a_refused_connection_is_reported(entry: Entry) -> None:
    with pytest.raises(DownloadError, match=r"could not be downloaded .*ConnectionError"):
        replace(entry, url="http://127.0.0.1:9/book.txt").read()


def test_a_damaged_cached_file_is_downloaded_again(server: Server, entry: Entry) -> None:
    entry.read()
    assert entry.path is not None
    entry.path.write_text("damaged")
    assert entry.read()[0].data.decode().strip() == "It was."
    assert server.requests == 2


def test_the_files_of_a_corpus_are_downloaded_one_by_one(
    server: Server, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    checksums = {"songs/1,_Ä/a.mxl": entry.sha256, "songs/b.mxl": entry.sha256}
    monkeypatch.setattr(catalogue, "_data", {"songs.json": checksums}.__getitem__)
    url = server.url.removesuffix("book.txt")
    songs = replace(entry, name="songs", url=url, sha256=None, files="songs.json", task="music")
    assert not songs.is_here
    for _ in range(2):
        assert [source.label for source in songs.read()] == list(checksums)
    assert (server.requests, server.asked) == (2, "/songs/b.mxl")
    assert songs.is_here
    (cache_folder() / "downloads" / "songs" / "a.mxl").unlink()
    assert not songs.is_here
    songs.read()
    assert (server.requests, server.asked) == (3, "/songs/1%2C_%C3%84/a.mxl")
    server.body += b"!"
    (cache_folder() / "downloads" / "songs" / "a.mxl").unlink()
    with pytest.raises(DownloadError, match="expected a file with the SHA-256"):
        songs.read()


def test_the_corpora_of_python_contain_text() -> None:
    entries = read_catalogue()
    for name in ("python-docs", "python-code"):
        assert entries[name].is_here
        assert (entries[name].size or 0) > 300_000
        assert all(source.size for source in entries[name].read())


def test_a_corpus_that_this_python_lacks_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    entry = read_catalogue()["python-docs"]
    assert not entry.is_here and entry.size is None
    with pytest.raises(CorpusError, match="this Python lacks its help texts"):
        entry.read()


@pytest.mark.parametrize("name", INSTALLED)
def test_an_installed_corpus_is_found_without_reading_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = read_catalogue()[name]
    opened: list[object] = []
    monkeypatch.setattr(Entry, "read", opened.append)
    monkeypatch.setattr(np, "loadtxt", opened.append)
    module = {"digits": "sklearn", "names-by-origin": "faker"}.get(name, "sys")
    assert entry.is_here == (importlib.util.find_spec(module) is not None) and not opened


def test_downloads_have_a_checksum_and_a_licence() -> None:
    fetched = [entry for entry in read_catalogue().values() if entry.url]
    assert len(fetched) >= 5
    for entry in fetched:
        assert entry.url is not None and entry.url.startswith("https://")
        checksums = catalogue._data(entry.files).values() if entry.files else [entry.sha256]
        assert all(len(each) == 64 for each in checksums) and checksums
        assert entry.characters or entry.pieces
        assert not entry.files or entry.pieces == len(checksums)
        assert entry.licence and entry.source and entry.description


def test_the_digits_of_scikit_learn_are_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = read_catalogue()["digits"]
    assert entry.is_here and entry.size is None
    (source,) = entry.read()
    with np.load(source.open()) as arrays:
        assert arrays["images"].shape == (entry.pieces, 8, 8)
        assert len(np.unique(arrays["images"])) == 17 and arrays["images"].max() == 255
        assert sorted(np.unique(arrays["labels"])) == list(range(10))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert not entry.is_here
    with pytest.raises(CorpusError, match=r'not installed; pip install "seqgen\[datasets\]"'):
        entry.read()


def test_a_binary_download_is_not_decoded(server: Server, entry: Entry) -> None:
    """As `mnist`: the file keeps its suffix, and its task reads it."""
    content = io.BytesIO()
    pixels = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)
    np.savez(content, x_train=pixels[:2], y_train=np.arange(2), x_test=pixels[2:])
    server.body = content.getvalue()
    digest = hashlib.sha256(server.body).hexdigest()
    pictures = replace(
        entry, name="small-mnist", sha256=digest, suffix=".npz", pieces=3, task="images"
    )
    assert not pictures.is_here
    for _ in range(2):
        (source,) = pictures.read()
        assert source.label == "small-mnist.npz" and source.head(4) == b"PK\3\4"
    assert pictures.is_here and server.requests == 1
    assert detect.task_of([source]) == "images"
    corpus = base.get("images").read([source], name=pictures.name)
    assert corpus.details["pictures"] == pictures.pieces
    server.body += b"!"
    (cache_folder() / "downloads" / "small-mnist.npz").unlink()
    with pytest.raises(DownloadError, match="small-mnist: expected a file with the SHA-256"):
        pictures.read()


@pytest.mark.parametrize("name", ["irish-tunes", "bach-chorales"])
def test_the_corpora_of_music21_are_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = read_catalogue()[name]
    assert entry.is_here and len(entry.read()) > 30
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert not entry.is_here
    with pytest.raises(CorpusError, match="lacks its corpus"):
        entry.read()


def test_find_returns_the_terms_of_use() -> None:
    found = find(["folk-songs"])
    assert found.task == "music" and "non-commercial" in found.terms[0]
    assert find(["bach-chorales"]).options == {"voices": 4}
    with pytest.raises(CorpusError, match="expected corpora of one task, got music and text"):
        find(["folk-songs", "python-docs"])


def test_tiny_shakespeare_has_the_published_checksum() -> None:
    entry = read_catalogue()["tiny-shakespeare"]
    assert entry.characters == 1_115_394
    assert entry.sha256 == "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"


def test_find_names_the_corpus_after_the_first_argument(tmp_path: Path) -> None:
    (tmp_path / "my.book.txt").write_text("x")
    name, found, *_ = find([tmp_path / "my.book.txt", "python-docs"])
    assert name == "my.book"
    assert [source.label for source in found] == [str(tmp_path / "my.book.txt"), "python-docs"]


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(CorpusError, match=r"nonsense: no such file.*python-docs, python-code"):
        find(["nonsense"])
    with pytest.raises(CorpusError, match="expected a corpus"):
        find([])

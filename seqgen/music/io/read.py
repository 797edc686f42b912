"""Music files of all supported formats → pieces."""

from __future__ import annotations

from pathlib import Path, PurePath

from seqgen.corpus.special_files import is_special, read_special
from seqgen.errors import MusicError
from seqgen.music.io.abc_reader import read_abc
from seqgen.music.io.humdrum_reader import read_humdrum
from seqgen.music.io.midi_reader import read_midi
from seqgen.music.io.musicxml_file import ZIP_START
from seqgen.music.io.musicxml_reader import read_musicxml
from seqgen.music.io.result import ReadResult
from seqgen.music.io.score_child import read_in_child
from seqgen.utils.collector import paused_collector

READER_VERSION = 13  # of the results; increase it to invalidate cached ones
MIDI_START = b"MThd"
SNIFFED_BYTES = 2048
SCORE_SUFFIXES = frozenset(
    {".abc", ".musicxml", ".mxl", ".krn", ".mei", ".capx", ".nwc", ".nwctxt", ".rntxt"}
)
MIDI_SUFFIXES = frozenset({".mid", ".midi", ".kar", ".rmi"})
READERS = {  # the others are read by music21, in a process of its own
    ".abc": read_abc,
    ".krn": read_humdrum,
    ".musicxml": read_musicxml,
    ".mxl": read_musicxml,
    ".xml": read_musicxml,
}
MUSIC_SUFFIXES = SCORE_SUFFIXES | MIDI_SUFFIXES


def is_music(name: str, head: bytes) -> bool:
    """Whether a file holds music, judged by its name and its first bytes.

    >>> is_music("tune.mid", b""), is_music("x", b"MThd\\0\\0"), is_music("page.xml", b"<html>")
    (True, True, False)
    """
    suffix = PurePath(name).suffix.lower()
    return (
        suffix in MUSIC_SUFFIXES
        or head.startswith(MIDI_START)
        or (suffix == ".xml" and (head.startswith(ZIP_START) or b"<score-" in _ascii(head)))
    )


def _ascii(head: bytes) -> bytes:
    """Return text of ASCII characters that may be in UTF-16."""
    return head.replace(b"\0", b"")


def read(name: str, data: bytes, *, expand_repeats: bool = False) -> ReadResult:
    """Read a file of any supported format.

    Errors are not raised: they are the reason of the result.

    Args:
        name: name of the file; its suffix tells the format of a score.
        data: content of the file.
        expand_repeats: write out repeats.

    >>> read("empty.mid", b"MThd").reason
    'is no MIDI file, or only the beginning of one'
    """
    try:
        with paused_collector():
            return _read(name, data, expand_repeats)
    except MusicError as error:
        return ReadResult(reason=str(error))


def _read(name: str, data: bytes, expand_repeats: bool) -> ReadResult:
    if not data:
        raise MusicError("is empty")
    is_midi = PurePath(name).suffix.lower() in MIDI_SUFFIXES
    if is_midi or data.startswith(MIDI_START):
        return read_midi(data)
    if not is_music(name, data[:SNIFFED_BYTES]):
        raise MusicError("is no music that seqgen can tell: neither MIDI nor a score")
    reader = READERS.get(PurePath(name).suffix.lower())
    if reader is not None:
        return reader(data, expand_repeats=expand_repeats)
    return read_in_child(name, data, expand_repeats=expand_repeats)


def read_file(path: Path) -> ReadResult:
    """Read a file that must hold at least one piece.

    Raises:
        MusicError: the file cannot be read, or no piece of it can be used.
        CorpusError: it is a device, or a pipe to which no program writes.
    """
    try:
        data = read_special(path, str(path)) if is_special(path) else path.read_bytes()
    except OSError as error:
        raise MusicError(f"{path} cannot be read: {error.strerror}") from error
    result = read(path.name, data)
    if result.reason:
        raise MusicError(f"{path} {result.reason}")
    return result

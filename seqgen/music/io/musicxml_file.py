"""MusicXML files, compressed or not → the root of their tree, safely; and how to compress them."""

from __future__ import annotations

import io
import zipfile
import zlib
from xml.etree import ElementTree

from seqgen.errors import MusicError

ZIP_START = b"PK\x03\x04"
CONTAINER = "META-INF/container.xml"
DAMAGED = (  # what zipfile raises
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError
)  # fmt: skip
SCORE = "score.musicxml"  # name within the archives that are written
CONTAINER_TEXT = f"""<?xml version="1.0" encoding="UTF-8"?>
<container><rootfiles><rootfile full-path="{SCORE}"/></rootfiles></container>
"""
MOST_BYTES = 100_000_000  # of a score, unpacked


def score_root(data: bytes) -> ElementTree.Element:
    """Return the root of a score.

    Args:
        data: XML in any encoding, or a zip archive with a score in it.

    Raises:
        MusicError: it is damaged or too large, declares entities, or is no score.

    >>> score_root(b"<score-partwise/>").tag
    'score-partwise'
    """
    root = _parsed(_unpacked(data) if data.startswith(ZIP_START) else data)
    if root.tag.startswith("{"):
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
    if root.tag not in ("score-partwise", "score-timewise"):
        raise MusicError(f"is no score: its root is <{root.tag[:40]}>")
    return root


def _parsed(data: bytes) -> ElementTree.Element:
    if len(data) > MOST_BYTES:
        raise MusicError(f"has {len(data):,} bytes; expected at most {MOST_BYTES:,}")
    if b"<!ENTITY" in data.replace(b"\0", b""):  # zeros: UTF-16
        raise MusicError("declares entities, which no score needs")
    try:
        return ElementTree.fromstring(data.lstrip(b" \t\r\n"))
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise MusicError(f"cannot be read as music: {error}") from error


def _unpacked(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _member(archive, _score_name(archive))
    except MusicError:
        raise
    except DAMAGED as error:
        raise MusicError(f"cannot be read as music: {error}") from error


def _score_name(archive: zipfile.ZipFile) -> str:
    """Return the name of the score: the first that the container names, or the first of all."""
    names = archive.namelist()
    if CONTAINER in names:
        for file in _parsed(_member(archive, CONTAINER)).iter():
            if file.tag.endswith("rootfile") and file.get("full-path") in names:
                return file.get("full-path", "")
    for name in names:
        if name.lower().endswith((".xml", ".musicxml")) and not name.startswith("META-INF/"):
            return name
    raise MusicError("cannot be read as music: the archive holds no score")


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        return file.read(MOST_BYTES + 1)


def compressed(score: bytes) -> bytes:
    """Return a score as an archive, which has the suffix `.mxl`.

    >>> score_root(compressed(b"<score-partwise/>")).tag
    'score-partwise'
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in ((CONTAINER, CONTAINER_TEXT), (SCORE, score)):
            member = zipfile.ZipInfo(name)  # without the time, so that equal scores are equal files
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return file.getvalue()

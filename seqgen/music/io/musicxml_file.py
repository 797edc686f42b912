"""MusicXML files, compressed or not → the root of their tree, safely; and how to compress them."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from contextlib import suppress
from html import unescape
from xml.etree import ElementTree

from seqgen.errors import MusicError
from seqgen.music.io.score_text import decoded

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
MOST_REPAIRED = 10_000_000
OTHER_NAMES = re.compile(r"^META-INF/|^__MACOSX/|(^|/)\.[^/]*$")  # of archives
DECLARATION = re.compile(r"^<\?xml[^>]*\?>")
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
ENTITY = re.compile(r"&(?:#\w{1,8};|\w{1,32};)?")
XML_ENTITIES = frozenset({"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"})


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
    _refuse_entities(data.replace(b"\0", b""))  # zeros: UTF-16
    data = data.lstrip(b" \t\r\n")
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        text = _repaired(data[:MOST_REPAIRED])
        with suppress(ElementTree.ParseError, ValueError):
            return ElementTree.fromstring(text)
        raise MusicError(f"cannot be read as music: {error}") from error


def _refuse_entities(data: bytes) -> None:
    if b"<!ENTITY" in data:
        raise MusicError("declares entities, which no score needs")


def _repaired(data: bytes) -> str:
    """Return XML without what some programs write: another encoding than is declared, control
    characters, `&` for itself, and entities of HTML.

    >>> _repaired("<a>F\xfcr &eacute; &amp; A & B</a>".encode("latin-1"))
    '<a>Für é &amp; A &amp; B</a>'
    """
    text = CONTROLS.sub("", DECLARATION.sub("", decoded(data)))

    def entity(found: re.Match[str]) -> str:
        if found[0] in XML_ENTITIES or found[0].startswith("&#"):
            return found[0]
        character = unescape(found[0])
        return character if len(character) == 1 and character != "&" else f"&amp;{found[0][1:]}"

    text = ENTITY.sub(entity, text)
    _refuse_entities(text.encode("utf-8", "replace"))
    return text


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
    names = [name for name in archive.namelist() if not OTHER_NAMES.search(name)]
    if CONTAINER in archive.namelist():
        with suppress(MusicError):
            for file in _parsed(_member(archive, CONTAINER)).iter():
                name = file.get("full-path", "")
                if file.tag.endswith("rootfile") and name in names and _is_score(name):
                    return name
    for name in names:
        if _is_score(name):
            return name
    raise MusicError("cannot be read as music: the archive holds no score")


def _is_score(name: str) -> bool:
    return name.lower().endswith((".xml", ".musicxml"))


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

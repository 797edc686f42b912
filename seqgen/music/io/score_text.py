"""The bytes of scores that are text → characters. Most do not say which encoding they use."""

from __future__ import annotations

import re
from collections import Counter

CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
WIDE_ZEROS = (
    0.4  # share of zero bytes from which a text is UTF-16, as most of its letters are ASCII
)


def decode_score(data: bytes, counts: Counter[str]) -> str:
    r"""Return the text of ABC or Humdrum.

    Control characters stand for nothing in a score. Damaged disks and old programs leave them in
    files; they are left out, and counted as `control characters dropped`.

    >>> decode_score(b"CD\0EF", counts := Counter()), counts
    ('CDEF', Counter({'control characters dropped': 1}))
    """
    text, dropped = CONTROLS.subn("", decoded(data))
    if dropped:
        counts["control characters dropped"] += dropped
    return text


def decoded(data: bytes) -> str:
    """Return a text in UTF-16, with a mark or without, in UTF-8 or else in Windows-1252.

    >>> decoded("Für Elise".encode("latin-1")), decoded("Für Elise".encode("utf-16-be"))
    ('Für Elise', 'Für Elise')
    """
    if data.startswith(UTF_16_MARKS):
        return data.decode("utf-16", "replace")
    if data.count(0) >= WIDE_ZEROS * len(data):
        little = data[1::2].count(0) >= data[::2].count(0)
        return data.decode("utf-16-le" if little else "utf-16-be", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")

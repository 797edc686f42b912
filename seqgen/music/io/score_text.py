"""The bytes of scores that are text, ABC and Humdrum → characters."""

from __future__ import annotations

import re
from collections import Counter

CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
WIDE_ZEROS = (
    0.4  # share of zero bytes from which a text is UTF-16, as most of its letters are ASCII
)


def decode_score(data: bytes, counts: Counter[str]) -> str:
    r"""Return a text in UTF-16, with a mark or without, in UTF-8 or else in Latin-1.

    Control characters stand for nothing in a score. Damaged disks and old programs leave them in
    files; they are left out, and counted as `control characters dropped`.

    >>> decode_score("Für Elise".encode("latin-1"), Counter())
    'Für Elise'
    >>> decode_score(b"CD\0EF", counts := Counter()), counts
    ('CDEF', Counter({'control characters dropped': 1}))
    """
    text, dropped = CONTROLS.subn("", _decoded(data))
    if dropped:
        counts["control characters dropped"] += dropped
    return text


def _decoded(data: bytes) -> str:
    if data.startswith(UTF_16_MARKS):
        return data.decode("utf-16", "replace")
    if data.count(0) >= WIDE_ZEROS * len(data):
        little = data[1::2].count(0) >= data[::2].count(0)
        return data.decode("utf-16-le" if little else "utf-16-be", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")

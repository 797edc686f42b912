"""Prepares files for music21: ABC in UTF-8, and one tune at a time."""

from __future__ import annotations

import re

ABC_VERSION = "%abc-2.1\n"  # in older versions music21 ends accidentals before the bar line
TUNE = re.compile(r"^[ \t]*(X:[ \t]*\d*)", re.MULTILINE)


def documents(suffix: str, data: bytes) -> dict[str, bytes]:
    """Split an ABC file into tunes, so that a tune with an error does not affect the others.

    Args:
        suffix: suffix of the file's name, in lower case.
        data: content of the file; ABC in Latin-1 if it is not UTF-8.

    Returns:
        Label → content. The label is empty if there is only one document.

    >>> documents(".abc", b"%abc\\nM:3/4\\nX:1\\nK:G\\nG3|\\nX:2\\nK:D\\nD3|")["X:2"]
    b'%abc\\nM:3/4\\nX:2\\nK:D\\nD3|'
    """
    if suffix != ".abc":
        return {"": data}
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    text = re.sub(r"\r\n?", "\n", text)
    if not text.startswith("%abc"):
        text = ABC_VERSION + text
    found = list(TUNE.finditer(text))
    if len(found) < 2:
        return {"": text.encode()}
    head = text[: found[0].start()]  # applies to all tunes
    tunes: dict[str, bytes] = {}
    for tune, after in zip(found, [*found[1:], None], strict=True):
        end = after.start() if after else len(text)
        name = tune[1] if tune[1] not in tunes else f"{tune[1]} (tune {len(tunes) + 1})"
        tunes[name] = (head + text[tune.start() : end]).encode()
    return tunes

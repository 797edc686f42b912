"""Files of scores as music21 reads them: in UTF-8, and one tune of ABC at a time."""

from __future__ import annotations

import re

ABC_VERSION = "%abc-2.1\n"  # in older ones music21 ends an accidental with its note, not its bar
TUNE = re.compile(r"^[ \t]*(X:[ \t]*\d*)", re.MULTILINE)


def documents(suffix: str, data: bytes) -> dict[str, bytes]:
    """What a file holds, piece by piece where it can be told: a bad tune costs no other.

    Args:
        suffix: the ending of its name, in small letters.
        data: its bytes; a text in Latin-1 if it is not in UTF-8.

    Returns:
        By the name of each, which is empty where there is but one, its bytes.

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
    head = text[: found[0].start()]  # holds for all of them
    tunes: dict[str, bytes] = {}
    for tune, after in zip(found, [*found[1:], None], strict=True):
        end = after.start() if after else len(text)
        name = tune[1] if tune[1] not in tunes else f"{tune[1]} (tune {len(tunes) + 1})"
        tunes[name] = (head + text[tune.start() : end]).encode()
    return tunes

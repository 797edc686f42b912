"""Text of MIDI files → characters. The files do not say which encoding they use."""

from __future__ import annotations

import re

KANA = re.compile("[\u3041-\u30ff]")
WIDE = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff5e]")
JAPANESE = 0.5  # share of wide characters from which a text without kana is Japanese


def decode_text(data: bytes) -> str:
    """Return a text in UTF-8, in Shift-JIS or else in Windows-1252.

    Most bytes above 127 can be read as both of the latter. Shift-JIS is a text that then has kana,
    or mainly kanji; Western text has neither.

    >>> decode_text("Für Elise".encode()), decode_text("Für Elise".encode("latin-1"))
    ('Für Elise', 'Für Elise')
    >>> decode_text("\u3046\u305f".encode("shift-jis"))
    '\u3046\u305f'
    """
    data = data.strip(b"\0 ")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("cp932")
        if KANA.search(text) or len(WIDE.findall(text)) > JAPANESE * len(text):
            return text
    except UnicodeDecodeError:
        pass
    return data.decode("cp1252", "replace")

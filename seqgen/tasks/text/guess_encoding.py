"""Guesses the encoding of a text, to suggest it to the user."""

from __future__ import annotations

import codecs
import unicodedata

UNICODE_MARKS = {  # in this order: the mark of UTF-32-LE starts with that of UTF-16-LE
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}
WITHOUT_MARK = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
SEPARATORS = frozenset(" \n\u3000\u3001\u3002")  # spaces, and the marks of Chinese and Japanese
LEAST_SEPARATORS = 0.01  # of the characters
ISO_2022_JP = (b"\x1b$B", b"\x1b$@")  # switches from ASCII to Japanese
JAPANESE = ("cp932", "euc_jp")
LEAST_KANA = 0.2  # of the characters that are not ASCII
# Encodings of which charset-normalizer chooses one; the first of those that give the same text.
CANDIDATES = (
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
    *("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "mac_roman"),
)
PREFERRED = {"cp932": "shift_jis", "cp949": "euc-kr", "koi8_r": "koi8-r", "euc_jp": "euc-jp"}


def unicode_with_nul(data: bytes) -> str | None:
    """The encoding if a text may be UTF-16 or UTF-32, which has zero bytes; else None.

    >>> unicode_with_nul("plain text".encode("utf-16-be"))
    'utf-16-be'
    """
    for name, marks in UNICODE_MARKS.items():
        if data.startswith(marks):
            return name
    data = data[: len(data) // 4 * 4]
    shares = {name: _share_of_separators(data, name) for name in WITHOUT_MARK}
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] >= LEAST_SEPARATORS else None


def _share_of_separators(data: bytes, encoding: str) -> float:
    """The share of characters that are separators; 0 if there are some that no text has."""
    width = 4 if "32" in encoding else 2
    for end in (len(data), len(data) - width):  # the end may be half of a surrogate pair
        try:
            text = data[:end].decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        return 0.0
    controls = sum(
        unicodedata.category(character) in ("Cc", "Cn", "Co") and character not in "\t\n\r\f"
        for character in text
    )
    if not text or controls:
        return 0.0
    return sum(character in SEPARATORS for character in text) / len(text)


def guess(data: bytes) -> str | None:
    """The most plausible encoding of a part of a text that is not UTF-8; None if there is none.

    Args:
        data: some kilobytes of the text, from the start of a line.

    >>> guess("日本語の文章です。これは試験です。".encode("shift_jis"))
    'shift_jis'
    """
    if any(sign in data for sign in ISO_2022_JP):
        return "iso2022_jp"
    if found := unicode_with_nul(data):
        return found
    telling = b"\n".join(line for line in data.split(b"\n") if not line.isascii())
    if not telling:
        return None  # it is ASCII
    for name in JAPANESE:
        if _share_of_kana(telling, name) >= LEAST_KANA:
            return PREFERRED[name]
    from charset_normalizer import from_bytes

    best = from_bytes(telling, cp_isolation=list(CANDIDATES)).best()
    likely = {best.encoding, *best.could_be_from_charset} if best else set()
    for name in CANDIDATES:
        if name in likely:
            return PREFERRED.get(name, name)
    return None


def _share_of_kana(data: bytes, encoding: str) -> float:
    """The share of Japanese syllables among the characters that are not ASCII."""
    decoder = codecs.getincrementaldecoder(encoding)()  # the end may be half of a character
    try:
        text = [character for character in decoder.decode(data) if not character.isascii()]
    except UnicodeDecodeError:
        return 0.0
    return sum("\u3041" <= character <= "\u30ff" for character in text) / max(len(text), 1)

"""Keys and ranges as people type them."""

import pytest

from seqgen.errors import MusicError
from seqgen.music.pitch_names import range_of
from seqgen.music.signatures import Key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("B-flat major", "Bb"), ("B flat", "Bb"), ("bb minor", "Bbm"), ("E♭", "Eb"),
        ("F-sharp minor", "F#m"), ("c sharp", "C#"), ("A-flat", "Ab"), ("D-Dorian", "Ddor"),
        ("B", "B"), ("b minor", "Bm"),
        ("H-moll", "Bm"), ("h", "B"), ("H-Dur", "B"), ("B-Dur", "Bb"), ("b-moll", "Bbm"),
        ("Es-Dur", "Eb"), ("As", "Ab"), ("cis-Moll", "C#m"), ("Fis dur", "F#"), ("Des", "Db"),
        ("a-moll", "Am"), ("C-Dur", "C"), ("gis moll", "G#m"),
    ],
)  # fmt: skip
def test_keys_in_english_and_german(text: str, key: str) -> None:
    assert str(Key.parse(text)) == key


@pytest.mark.parametrize("text", ["", "J", "Cs", "H minor", "C flat sharp", "Gis-dorian", "-"])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(MusicError, match="key: expected"):
        Key.parse(text)


@pytest.mark.parametrize(
    ("text", "pitches"),
    [
        ("G3-C6", (55, 84)), ("55-84", (55, 84)), (" G3 - c6 ", (55, 84)), ("C-1-C-1", (0, 0)),
        ("C-1-G9", (0, 127)), ("G3-84", (55, 84)), ("G3-G3", (55, 55)), ("Bb3-F#4", (58, 66)),
        ("0-127", (0, 127)),
    ],
)  # fmt: skip
def test_ranges(text: str, pitches: tuple[int, int]) -> None:
    assert range_of(text) == pitches


@pytest.mark.parametrize(
    "text", [" -C5", "-", "", "C5", "C5-", "60-128", "84-55", "-1-5", "G3-G3-"]
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(MusicError, match="range: expected"):
        range_of(text)

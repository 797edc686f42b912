import codecs
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.corpus import sources
from seqgen.corpus.corpus import Corpus
from seqgen.corpus.sources import Source
from seqgen.errors import ConfigError, CorpusError, VocabularyError
from seqgen.tasks.text import corpus as text
from seqgen.tasks.text import encoding as text_ids
from seqgen.tasks.text.output import SEPARATOR, write
from seqgen.tasks.text.prompt import encode_prompt
from seqgen.vocabulary import END, UNKNOWN, Vocabulary
from tests.conftest import SENTENCE

# The characters of a file: all code points except NUL and lone surrogates.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def read(data: bytes, **options: object) -> Corpus:
    return text.read([Source("note", data=data)], validation=0, **options, name="text")


def decoded(corpus: Corpus) -> str:
    return "".join(corpus.vocabulary.decode(corpus.ids))


def normalised(original: str) -> str:
    return original.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


@given(texts.filter(normalised), st.sampled_from(["utf-8", "utf-16", "utf-32-be", "utf-7"]))
def test_reading_keeps_every_code_point(original: str, encoding: str) -> None:
    data = original.encode(encoding)
    if data.startswith(text.BINARY_STARTS):
        return
    corpus = read(data, encoding=encoding)
    assert decoded(corpus) == normalised(original)
    assert corpus.ids.dtype == corpus.vocabulary.dtype


@given(texts.filter(normalised))
def test_the_result_does_not_depend_on_the_chunk_size(original: str) -> None:
    data = original.encode()
    if data.startswith(text.BINARY_STARTS):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "CHUNK_BYTES", 3)
        in_threes = read(data)
        lines_in_threes = read(data, lines=True) if original.strip("\r\n\ufeff") else None
    assert decoded(in_threes) == normalised(original)
    if lines_in_threes:
        assert lines_in_threes.ids.tolist() == read(data, lines=True).ids.tolist()


@given(st.lists(texts.filter(lambda each: not set(each) & set("\r\n\ufeff")), min_size=1))
def test_every_line_is_a_piece(lines: list[str]) -> None:
    data = "\n\n".join(lines).encode()
    if data.startswith(text.BINARY_STARTS):
        return
    corpus = read(data, lines=True)
    assert decoded(corpus) == "".join(line + END for line in lines)
    assert corpus.bounds is not None
    starts_and_ends = zip(corpus.bounds[:-1], corpus.bounds[1:], strict=True)
    pieces = [corpus.vocabulary.decode(corpus.ids[a : b - 1]) for a, b in starts_and_ends]
    assert ["".join(piece) for piece in pieces] == lines


def test_files_are_separated_by_a_newline() -> None:
    corpus = text.read(
        [Source("a", data=b"one"), Source("b", data=b"two\n")], validation=0, name="text"
    )
    assert decoded(corpus) == "one\ntwo\n"


def test_rare_characters_become_unknown() -> None:
    corpus = read(b"aaaabbbc", min_count=2)
    assert corpus.vocabulary.tokens == (UNKNOWN, "a", "b")
    assert decoded(corpus) == f"aaaabbb{UNKNOWN}"


def test_a_large_text_is_encoded_once_into_a_mapped_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))
    original = "".join(map(chr, range(32, 600))) + "\nlines\n\nof text"
    small = read(original.encode(), lines=True)
    monkeypatch.setattr(text_ids, "IN_MEMORY_BYTES", 10)
    large = read(original.encode(), lines=True)
    assert isinstance(large.ids, np.memmap) and large.ids.dtype == np.uint16
    assert large.vocabulary == small.vocabulary
    assert large.ids.tolist() == small.ids.tolist()
    assert large.bounds is not None and small.bounds is not None
    assert large.bounds.tolist() == small.bounds.tolist()
    (folder,) = (tmp_path / "corpora").iterdir()
    written = (folder / "ids.bin").stat().st_mtime_ns
    assert read(original.encode(), lines=True).ids.tolist() == large.ids.tolist()
    assert (folder / "ids.bin").stat().st_mtime_ns == written
    read(original.encode())  # other options make another entry
    assert len(list((tmp_path / "corpora").iterdir())) == 2


def test_a_failed_encoding_leaves_nothing_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))
    monkeypatch.setattr(text_ids, "IN_MEMORY_BYTES", 10)
    with pytest.raises(CorpusError):
        read(b"x" * 10_000 + b"\xff")
    assert list((tmp_path / "corpora").iterdir()) == []


@pytest.mark.parametrize("chunk_bytes", [3, 5, 1 << 20])
def test_an_invalid_byte_is_reported_with_its_position(
    chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "CHUNK_BYTES", chunk_bytes)
    with pytest.raises(CorpusError, match=r"note is not utf-8 at byte 10 \(0xe9\); .*--encoding"):
        read("grün, b\r\n".encode() + b"\xe9t\xe9")


def test_the_encoding_can_be_chosen() -> None:
    assert decoded(read("été".encode("latin-1"), encoding="latin-1")) == "été"


@pytest.mark.parametrize("encoding", ["klingon", "base64", "", "a\0b"])
def test_an_unknown_encoding_is_an_error(encoding: str) -> None:
    with pytest.raises(ConfigError, match="encoding: expected a name such as"):
        read(b"x", encoding=encoding)


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "note is empty"),
        (b"\x89PNG\r\n\x1a\n", "note is a binary file"),
        (b"%PDF-1.7 text", "note is a binary file"),
        (b"some\0text", "note is a binary file"),
        (b"x" * 9000 + b"\0", "note is a binary file"),
        (codecs.BOM_UTF16_LE + b"a\0", "note looks like utf-16; add --encoding utf-16"),
        (codecs.BOM_UTF32_LE + b"a\0\0\0", "note looks like utf-32; add --encoding utf-32"),
        (b"\xef\xbb\xbf", "no text to learn from"),
    ],
)
def test_files_that_are_not_text_are_errors(data: bytes, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read(data)


def test_empty_lines_only_are_an_error() -> None:
    with pytest.raises(CorpusError, match="no text to learn from"):
        read(b"\n\r\n\n", lines=True)


def test_skipped_files_of_a_folder_are_noted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "b.png").write_bytes(b"\x89PNG")
    (tmp_path / "c.txt").touch()
    corpus = text.read(sources.from_folder(tmp_path), name="text")
    assert len(corpus.ids) == 4
    assert [Path(note).name for note in corpus.notes] == [
        "b.png: is a binary file; expected plain text, save it as such",
        "c.txt: is empty; expected a file with text",
    ]


def test_a_folder_without_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="the folder has no files"):
        text.read(sources.from_folder(tmp_path), name="text")
    (tmp_path / "b.png").write_bytes(b"\x89PNG")
    with pytest.raises(CorpusError, match=r"no file of the folder holds text: skipped .*b.png"):
        text.read(sources.from_folder(tmp_path), name="text")


AB = Vocabulary(("\n", "a", "b"))


@given(st.text("ab\n", min_size=1))
def test_a_prompt_is_encoded(prompt: str) -> None:
    shown, ids = encode_prompt(AB, prompt)
    assert shown == prompt == "".join(AB.decode(ids))


def test_an_empty_prompt_has_an_id() -> None:
    assert encode_prompt(AB, "")[1].tolist() == [0]
    assert encode_prompt(Vocabulary((UNKNOWN, "x")), "")[1].tolist() == [1]
    assert encode_prompt(Vocabulary((END, "x")), "")[1].tolist() == [0]
    assert encode_prompt(Vocabulary((END, "x")), "x")[1].tolist() == [0, 1]


def test_newlines_of_a_prompt_are_normalised() -> None:
    assert encode_prompt(AB, "a\r\nb\r")[0] == "a\nb\n"


def test_unknown_characters_are_listed_or_dropped() -> None:
    with pytest.raises(VocabularyError, match=r"'é' \(U\+00E9 LATIN.*\), '☃' \(U\+2603 SNOWMAN\)"):
        encode_prompt(AB, "a☃bé☃")
    shown, ids = encode_prompt(AB, "a☃bé☃", skip_unknown=True)
    assert shown == "ab"
    assert ids.tolist() == [1, 2]
    assert encode_prompt(AB, "☃", skip_unknown=True)[1].tolist() == [0]


@pytest.mark.parametrize(
    "written, lines, expected",
    [
        (["ab"], False, "ab"),
        (["ab", "c"], False, f"ab\n{SEPARATOR}\nc"),
        (["ab", "c"], True, "ab\nc\n"),
    ],
)
def test_writing(written: list[str], lines: bool, expected: str) -> None:
    file = io.StringIO()
    write(written, file, lines=lines)
    assert file.getvalue() == expected


def test_options_are_plain_data() -> None:
    assert json.loads(json.dumps(dict(read(b"ab").options))) == {
        "encoding": "utf-8",
        "lines": False,
        "min_count": 1,
        "shuffled": False,
    }


def test_sorted_lines_are_shuffled_with_a_note() -> None:
    names = [f"{first}{second}" for first in "abcdefghij" for second in "klmnopqrst"]
    corpus = text.read([Source("names", data="\n".join(names).encode())], lines=True, name="text")
    lines = decoded(corpus).split(END)[:-1]
    assert sorted(lines) == names != lines
    assert "the lines are sorted" in corpus.notes[-1]
    held_out = "".join(corpus.vocabulary.decode(corpus.validation_ids)).split(END)[:-1]
    assert len(held_out) == 10
    assert len({line[0] for line in held_out}) > 3
    again = text.read([Source("names", data="\n".join(names).encode())], lines=True, name="text")
    assert again.ids.tolist() == corpus.ids.tolist()


def test_other_lines_keep_their_order() -> None:
    for lines in (["b", "a"] * 50, ["x", "y", "z"]):
        corpus = text.read(
            [Source("names", data="\n".join(lines).encode())], lines=True, name="text"
        )
        assert decoded(corpus).split(END)[:-1] == lines
        assert corpus.notes == ()


def test_a_text_may_begin_as_it_likes() -> None:
    for original in ("ID3 is an algorithm.", "GIF8 is no format.", "PK is a name."):
        assert decoded(read(original.encode())) == original


def test_a_lone_surrogate_is_an_error() -> None:
    with pytest.raises(CorpusError, match="note contains a lone surrogate"):
        read(b"+2AA-", encoding="utf-7")


def test_the_position_of_an_invalid_byte_includes_the_byte_order_mark() -> None:
    for encoding in ("utf-8", "utf-8-sig"):
        with pytest.raises(CorpusError, match=r"byte 5 \(0xff\)"):
            read(codecs.BOM_UTF8 + b"ab\xff", encoding=encoding)


def test_a_min_count_that_no_character_reaches() -> None:
    with pytest.raises(CorpusError, match="no character occurs 1000 times; lower --min-count"):
        read(b"some text", min_count=1000)


def test_shuffled_lines_are_recorded() -> None:
    data = "\n".join(f"{i:03}" for i in range(100)).encode()
    assert text.read([Source("n", data=data)], lines=True, name="text").options["shuffled"]


@pytest.mark.parametrize("encoding", ["punycode", "idna", "undefined", "rot13", "unicode_escape"])
def test_encodings_in_which_no_file_is_written_are_errors(encoding: str) -> None:
    with pytest.raises(ConfigError, match="encoding: expected a name such as"):
        read(b"some text", encoding=encoding)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
@pytest.mark.parametrize("data", [b"some text", b"s", b"some text, longer\n" * 9000])
def test_a_missing_byte_order_mark_is_an_error(encoding: str, data: bytes) -> None:
    with pytest.raises(CorpusError, match=f"note is not {encoding}.* looks like utf-8: add --enc"):
        read(data, encoding=encoding)


JAPANESE = "吾輩は猫である。名前はまだ無い。\nどこで生れたかとんと見当がつかぬ。\n"
RUSSIAN = "Дом Облонских: муж и жена.\nЖили там девять лет.\n"


@pytest.mark.parametrize(
    "original, encoding",
    [
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc-jp"),
        (JAPANESE, "iso2022_jp"),
        (JAPANESE, "utf-16-le"),
        (JAPANESE, "utf-16-be"),
        (RUSSIAN, "utf-16-le"),
        (RUSSIAN, "cp1251"),
        (SENTENCE, "utf-16-le"),
        (SENTENCE, "utf-16-be"),
        (SENTENCE, "utf-32-be"),
    ],
)
def test_the_right_encoding_is_suggested(original: str, encoding: str) -> None:
    for whole in (original, original * 200):
        data = whole.encode(encoding)
        message = f"looks like {encoding}( without.*;|[:;]) add --encoding {encoding}$"
        with pytest.raises(CorpusError, match=message):
            read(data)
        assert decoded(read(data, encoding=encoding)) == whole


def test_utf_16_without_a_mark_is_named_with_its_byte_order() -> None:
    with pytest.raises(CorpusError, match="no byte order mark; it looks like utf-16-be: add"):
        read(SENTENCE.encode("utf-16-be"), encoding="utf-16")


def test_many_unknown_characters_are_counted() -> None:
    with pytest.raises(VocabularyError, match=r"\(U\+0039 DIGIT NINE\) and 16 more; leave them"):
        encode_prompt(Vocabulary(("-",)), "0123456789ABCDEFGHIJKLMNOP")


def test_a_suggestion_depends_on_the_text_around_the_byte() -> None:
    data = b"plain text\n" * 2000 + JAPANESE.encode("shift_jis")
    with pytest.raises(CorpusError, match=r"not utf-8 at byte 22,000 .*--encoding shift_jis"):
        read(data)


def test_files_of_a_folder_are_decoded_before_they_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("text")
    (tmp_path / "2.txt").write_bytes(b"x" * 100_000 + b"\0")
    (tmp_path / "3.txt").write_bytes(b"x" * 100_000 + b"\xe9t\xe9")
    corpus = text.read(sources.from_folder(tmp_path), name="text")
    assert len(corpus.ids) == 4
    zero, latin = (Path(note).name for note in corpus.notes)
    assert zero.startswith("2.txt: is a binary file: it contains NUL")
    assert latin.startswith("3.txt: is not utf-8 at byte 100,000 (0xe9); ")


def test_a_file_of_a_folder_that_cannot_be_read_is_skipped(tmp_path: Path) -> None:
    good = Source("good", data=b"text", optional=True)
    gone = Source("gone", tmp_path / "gone", optional=True)
    (note,) = text.read([good, gone], name="text").notes
    assert note.startswith("skipped gone: cannot be read: No such file")


@pytest.mark.parametrize("name", ["facts.json", "ids.bin", "bounds.bin"])
@pytest.mark.parametrize("damage", ["missing", "cut", "empty", "other"])
def test_a_damaged_cache_is_made_again(
    name: str, damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))
    monkeypatch.setattr(text_ids, "IN_MEMORY_BYTES", 10)
    data = ("".join(map(chr, range(32, 600))) + "\nlines\n\nof text").encode()
    whole = read(data, lines=True)
    expected = whole.ids.tolist()
    (folder,) = (tmp_path / "corpora").iterdir()
    path = folder / name
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        other = {"cut": content[:-3], "empty": b"", "other": b"\xff" * len(content)}
        path.write_bytes(other[damage])
    assert read(data, lines=True).ids.tolist() == expected


def test_two_processes_may_encode_a_corpus_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one finds the folder of the first one when it has finished."""
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))
    monkeypatch.setattr(text_ids, "IN_MEMORY_BYTES", 10)
    data = SENTENCE.encode() * 10
    rename = Path.rename

    def late(self: Path, target: Path) -> Path:
        if not target.exists():
            shutil.copytree(self, target)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", late)
    assert decoded(read(data)) == SENTENCE * 10
    assert len(list((tmp_path / "corpora").iterdir())) == 1

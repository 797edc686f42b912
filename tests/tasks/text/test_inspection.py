import json
from pathlib import Path

import pytest

from seqgen.corpus.sources import Source
from seqgen.errors import ConfigError
from seqgen.tasks.text.boilerplate import Boilerplate, licences
from seqgen.tasks.text.inspection import inspect
from tests.conftest import SENTENCE, Run

STORY = [f"It was the {n}th night, and nobody slept." for n in range(100)]


def facts(*texts: bytes, **options: str) -> list[dict[str, object]]:
    sources = [Source(f"{i}.txt", data=data) for i, data in enumerate(texts)]
    return [row.facts for row in inspect(sources, **options)]


def test_rare_characters_are_those_of_the_whole_corpus() -> None:
    first, second = facts(("é" * 9 + "a" * 20 + "☃").encode(), b"b" * 20 + "é".encode())
    assert first["rare"] == {"☃": 1}
    assert second["rare"] == {}
    assert (first["characters"], first["different"], first["lines"]) == (30, 3, 1)
    assert (first["encoding"], second["encoding"]) == ("utf-8", "utf-8")
    assert facts(b"plain")[0]["encoding"] == "ascii"


def test_repeated_lines_are_counted_across_files() -> None:
    first, second = facts((SENTENCE * 3).encode(), (SENTENCE + "}\n}\nanother line\n").encode())
    assert (first["repeated_lines"], first["repeated_line"]) == (2, SENTENCE.rstrip())
    assert second["repeated_lines"] == 1  # short lines do not count


def test_licences_are_found() -> None:
    header = ["# Copyright (c) 2001 Jane Doe", "# Permission is hereby granted", "#", ""]
    footer = ["", "Licensed under the MIT licence.", "See LICENSE."]
    (found,) = facts("\n".join([*header, *STORY, *footer]).encode())
    assert found["boilerplate"] == [
        {"kind": "licence", "first": 1, "last": 3},
        {"kind": "licence", "first": 106, "last": 107},
    ]
    assert facts("\n".join(STORY).encode())[0]["boilerplate"] == []


def test_the_header_of_project_gutenberg_ends_at_its_mark() -> None:
    head = ["The Project Gutenberg eBook of Tales", "", "Title: Tales", "",
            "*** START OF THE PROJECT GUTENBERG EBOOK TALES ***", "", "Once"]  # fmt: skip
    assert licences(head, [], 7) == [Boilerplate("licence", 1, 5)]


def test_lines_that_files_share_are_found() -> None:
    header = "Lecture notes\nProf. Jane Doe\nDo not distribute\n"
    texts = [f"{header}{n}\n{n} is a number\n" for n in range(3)]
    for found in facts(*map(str.encode, texts), b"Lecture notes\nof another one\n")[:3]:
        assert found["boilerplate"] == [{"kind": "shared with other files", "first": 1, "last": 3}]


def test_what_would_be_skipped_is_said_with_the_likely_encoding(tmp_path: Path) -> None:
    japanese = "吾輩は猫である。名前はまだ無い。\n" * 9
    rows = facts(b"", japanese.encode("shift_jis"), japanese.encode("utf-16-be"), b"\x89PNG\0")
    assert [row["kept"] for row in rows] == [False] * 4
    assert [row["encoding"] for row in rows] == [None, "shift_jis", "utf-16-be", None]
    assert "is empty" in str(rows[0]["reason"]) and "binary" in str(rows[3]["reason"])
    (gone,) = inspect([Source("gone", tmp_path / "gone")])
    assert gone.line.startswith("skipped: cannot be read")


def test_the_encoding_can_be_given() -> None:
    assert facts("été".encode("latin-1"), encoding="latin-1")[0]["encoding"] == "latin-1"
    with pytest.raises(ConfigError, match="encoding: expected a name such as"):
        facts(b"x", encoding="klingon")


def test_inspect_on_the_command_line(tmp_path: Path, seqgen: Run) -> None:
    (tmp_path / "two\nlines.txt").write_text(SENTENCE * 20)
    (tmp_path / "b.txt").write_bytes(b"caf\xe9")
    done = seqgen("inspect", ".", cwd=tmp_path)
    skipped, good = done.stdout.splitlines()
    assert skipped.startswith("b.txt           skipped: is not utf-8 at byte 3 (0xe9); ")
    assert good.startswith(
        "two\\nlines.txt  ascii, 1,580 characters, 31 different, 20 lines, 19 of"
    )
    assert done.stderr == "1 of 2 files can be used, 1 are skipped\n"
    rows = json.loads(seqgen("inspect", tmp_path, "--json").stdout)
    assert [row["kept"] for row in rows] == [False, True]
    done = seqgen("inspect", tmp_path, "--task", "music", "--encoding", "utf-8")
    assert done.returncode == 1 and "expected none for files of music" in done.stderr

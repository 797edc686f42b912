"""Texts: damaged bytes in all encodings, corpora of several files, prompts, names of files."""

from __future__ import annotations

import functools
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from seqgen import model
from seqgen.corpus import sources, special_files
from seqgen.corpus.sources import Source
from seqgen.tasks.text import corpus, inspection
from tests.fuzz.mutate import mutated

MODEL = Path(__file__).parents[1] / "saved" / "text-0.1.keras"
TEXTS = (
    "The quick brown fox jumps over the lazy dog.\n" * 3,
    "Déjà vu: naïve café, œuvre, straße … “quotes”\r\n" * 3,
    "吾輩は猫である。名前はまだ無い。\nどこで生れたか。\n",
    "Дом Облонских: муж и жена.\rЖили там девять лет.\r",
    "👩‍🎤 e\u0301 \u202eright to left\u202c \ufeff \u2028 \x0b\x0c\x1b[2J \ue000 \U0010ffff\n",
    "Copyright 2001 Jane Doe\nAll rights reserved\n\n\n\n*** START OF THE PROJECT GUTENBERG\n",
    "a\na\nb\n\n\nb\n" + "x" * 3000,
    "",
)
ENCODINGS = (
    *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-7"),
    *("latin-1", "cp1252", "cp1251", "shift_jis", "euc_jp", "iso2022_jp", "gb18030", "big5", "hz"),
    *("ascii", "koi8-r", "cp437", "mac_roman", "euc-kr", "iso2022_kr", "cp037"),
)
NO_ENCODINGS = (
    *("", "klingon", "punycode", "idna", "base64", "rot13", "undefined", "unicode_escape", "mbcs"),
    *("hex", "zlib", "utf-8\0", "x" * 5000, "\ud800", "../utf-8", "utf 8", "None", "oem"),
)
INSERTED = (
    *(b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\xc0\x80"),
    *(b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x1b$B", b"\x1b(B", b"+2AA-", b"~{", b"\r"),
    *(b"\x1a", b"PK\3\4", b"%PDF-"),
)  # fmt: skip
NAMES = (
    *("", "-x", "~", "~nobody/x", "a\nb", "a\0b", "x" * 300, "x/" * 3000, "[z-a]", "[", "**"),
    *("?" * 99, "\ud800", "é" * 200, "chapter" + "9" * 240, "NUL", "./.", "*.txt", "👩‍🎤"),
)  # fmt: skip
Case = dict[str, Any]


def cases(seed: int) -> Iterator[Case]:
    """Plain data; bytes are texts in latin-1."""
    draw = random.Random(seed)
    makers = (_corpus, _corpus, _corpus, _inspected, _typed, _typed, _name)
    while True:
        yield draw.choice(makers)(draw)


def _bytes(draw: random.Random) -> str:
    """A text in some encoding, or what a text may be taken for."""
    kind = draw.randrange(8)
    if kind == 0:
        data = draw.randbytes(draw.choice((0, 1, 2, 3, 50, 5000)))
    else:
        encoding = draw.choice(ENCODINGS)
        data = draw.choice(TEXTS).encode(encoding, "replace")
    if kind == 1:
        data = data * draw.choice((1, 300))
    for _ in range(draw.choice((0, 0, 1, 2))):
        at = draw.randrange(len(data) + 1)
        data = data[:at] + draw.choice(INSERTED) + data[at:]
    if kind > 4:
        data = mutated(data, draw)
    return data.decode("latin-1")


def _corpus(draw: random.Random) -> Case:
    files = [_bytes(draw) for _ in range(draw.choice((1, 1, 2, 5)))]
    return {
        "kind": "corpus",
        "files": files,
        "optional": draw.random() < 0.5,
        "options": {
            "encoding": draw.choice((*ENCODINGS, *NO_ENCODINGS, "utf-8", "utf-8", "utf-8")),
            "lines": draw.random() < 0.5,
            "min_count": draw.choice((1, 1, 1, 2, 0, -1, 10**9, 10**30)),
            "validation": draw.choice(("0.1", "0", "0.5", "0.51", "-1", "nan", "inf", "1e-300")),
        },
        # Bytes that are read at once: not so few that the calls take most of the time.
        "chunk": max(draw.choice((1, 2, 3, 7, 1 << 20)), sum(map(len, files)) // 50_000),
    }


def _inspected(draw: random.Random) -> Case:
    files = [_bytes(draw) for _ in range(draw.choice((1, 3)))]
    return {"kind": "inspect", "files": files, "encoding": draw.choice((None, *ENCODINGS))}


def _typed(draw: random.Random) -> Case:
    """Texts that generation takes."""
    letters = (*"The quick brown\n", "é", "\0", "\r\n", "<end>", "<unk>", "\ud800", "👩‍🎤", "☃", "")
    options: dict[str, Any] = {
        name: "".join(draw.choices(letters, k=draw.choice((0, 1, 3, 30))))
        for name in draw.sample(("prompt", "stop", "ban", "allow"), draw.randrange(1, 5))
    }
    if "prompt" in options and draw.random() < 0.2:
        options["prompt"] *= 500
    options["skip_unknown"] = draw.random() < 0.7
    options["length"] = draw.choice((0, 1, 5))
    return {"kind": "generate", "count": draw.choice((1, 2)), "options": options}


def _name(draw: random.Random) -> Case:
    name = "".join(draw.choices(NAMES, k=draw.choice((1, 1, 2))))
    if draw.random() < 0.3:
        data = mutated(name.encode("utf-8", "surrogatepass"), draw)
        name = data.decode("utf-8", "surrogateescape")
    return {"kind": "name", "name": name}


@functools.cache
def _model() -> model.Model:
    return model.load(MODEL)


def prepare() -> None:
    """Load the model."""
    _model().generate(length=1)


def run(case: Case) -> None:
    """Read, describe, generate or find what a case describes."""
    kind = case["kind"]
    if kind == "generate":
        for stream in _model().texts(case["count"], seed=0, **case["options"]):
            "".join(stream).encode()
        return
    if kind == "name":
        _find(case["name"])
        return
    files = [
        Source(f"{i}.txt", data=data.encode("latin-1"), optional=case.get("optional", False))
        for i, data in enumerate(case["files"])
    ]
    if kind == "inspect":
        for row in inspection.inspect(files, encoding=case["encoding"]):
            assert row.facts["kept"] or row.facts["reason"]
        return
    with mock.patch.object(sources, "CHUNK_BYTES", case["chunk"]):
        validation = float(case["options"]["validation"])
        found = corpus.read(files, name="fuzz", **{**case["options"], "validation": validation})
    assert int(found.ids.max()) < len(found.vocabulary)
    assert found.training_length > 0


def _find(name: str) -> None:
    """Find the files of a name below a folder, not above it: that would be the whole disk."""
    if ".." in Path(name).parts:
        return
    patience = mock.patch.object(special_files, "SECONDS_TO_WAIT", 0)
    with tempfile.TemporaryDirectory() as folder, patience:
        for inner in ("a.txt", "chapter2/1.txt", "chapter10/x"):
            (Path(folder) / inner).parent.mkdir(exist_ok=True)
            (Path(folder) / inner).write_text("text")
        for path in (f"{folder}/{name}", *([name] if name.startswith("~nobody") else [])):
            for source in sources.from_path(path) or ():
                source.head(10)

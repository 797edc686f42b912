"""One HTML file that generates text in a browser, without a network and without a server.

The engine is `seqgen/native/wasm/engine.c`, the C code of `seqgen generate`, in WebAssembly (`make
wasm`). A Content-Security-Policy forbids every request, and every script but the page's own.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seqgen.copying.codes import TokenCodes
from seqgen.copying.index import CopyIndex
from seqgen.errors import ConfigError
from seqgen.model import Model, mixture_of
from seqgen.sampling.config import SampleConfig
from seqgen.sharing.card import UNKNOWN_LICENCE, Card
from seqgen.sharing.payload import characters, model_bytes, require_shareable
from seqgen.tasks.text.generate import DEFAULT_LENGTH, LONGEST_LINE
from seqgen.types import Json
from seqgen.utils.atomic_files import atomic_write

FOLDER = Path(__file__).parent / "page"
ENGINE = FOLDER / "engine.wasm"
# A module imports those before it.
MODULES = ("payload.js", "engine.js", "copies.js", "text.js", "main.js")
IMPORT = re.compile(r"^import .*;\n", re.MULTILINE)
EXPORT = re.compile(r"^export ", re.MULTILINE)


@dataclass(frozen=True)
class PageOptions:
    """What a page says and holds.

    Attributes:
        name: of the model file, such as `book.keras`.
        title: the heading; by default the name.
        note: below it; empty for none.
        licence: of the model, as on a model card.
        mix: whether the n-grams of the model are part of the page.
        with_index: whether the indexes of the corpora are, with which copies are found.
    """

    name: str
    title: str | None = None
    note: str = ""
    licence: str = UNKNOWN_LICENCE
    mix: bool = True
    with_index: bool = False


def save(model: Model, path: Path, options: PageOptions) -> None:
    """Write the page of a model atomically.

    Raises:
        ConfigError: the engine of a page does not run the model.
        OutputError: the file cannot be written.
    """
    data = page(model, options)
    with atomic_write(path, keep=True) as temporary:
        temporary.write_bytes(data)


def page(model: Model, options: PageOptions) -> bytes:
    """The page of a model of text: HTML in windows-1252, see `seqgen.sharing.payload`.

    Raises:
        ConfigError: the model is of another task, or the engine of a page does not run it.
    """
    if model.data.task != "text":
        raise ConfigError(
            f"expected a model of text, got one of {model.data.task}, for which there is no page; "
            "share another model"
        )
    require_shareable(model.data.model_config, len(model.data.vocabulary))
    indexes = model.data.indexes if options.with_index else []
    if options.with_index and not indexes:
        raise ConfigError(
            "with_index: expected a model with an index of its corpus, got one without; "
            "leave it out"
        )
    mixture = mixture_of(model.data) if options.mix else None
    script, style = _script(), (FOLDER / "style.css").read_text(encoding="ascii")
    card = Card(options.name, options.licence).text(model)
    values = {
        "policy": policy(script, style),
        "title": html.escape(options.title or options.name.removesuffix(".keras")),
        "note": html.escape(options.note),
        "card": html.escape(card.split("---\n", 2)[2].strip()),
        "style": style,
        "script": script,
        "facts": json.dumps(_facts(model, indexes)).replace("<", "\\u003c"),
    }
    template = (FOLDER / "page.html").read_text(encoding="ascii")
    before, after = (
        re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], part)
        for part in template.split("[[data]]")
    )
    members = {
        "engine": ENGINE.read_bytes(),
        "model": model_bytes(model.data, mixture),
        **{f"index-{i}": index.bits.tobytes() for i, index in enumerate(indexes)},
    }
    scripts = (_data_script(name, content) for name, content in members.items())
    return b"".join((_ascii(before), *scripts, _ascii(after)))


def _data_script(name: str, content: bytes) -> bytes:
    opening = f'<script type="application/octet-stream" id="{name}">'
    return opening.encode() + characters(content) + b"</script>\n"


def _ascii(text: str) -> bytes:
    """HTML in bytes that mean the same in every encoding."""
    return text.encode("ascii", "xmlcharrefreplace")


def policy(script: str, style: str) -> str:
    """The Content-Security-Policy: this script, this style, WebAssembly, and nothing else."""
    hashes = {
        name: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for name, text in (("script", script), ("style", style))
    }
    return (
        f"default-src 'none'; script-src 'sha256-{hashes['script']}' 'wasm-unsafe-eval'; "
        f"style-src 'sha256-{hashes['style']}'; base-uri 'none'; form-action 'none'"
    )


def _script() -> str:
    """All modules as one: a page that is opened from a disk cannot import files."""
    texts = [(FOLDER / name).read_text(encoding="ascii") for name in MODULES]
    return "\n" + "\n".join(EXPORT.sub("", IMPORT.sub("", text)) for text in texts)


def _facts(model: Model, indexes: Sequence[CopyIndex]) -> Json:
    """What the script reads besides the weights."""
    vocabulary, defaults = model.data.vocabulary, SampleConfig()
    lines = vocabulary.end_id is not None
    codes = TokenCodes(vocabulary).table if indexes else ()
    return {
        "indexes": [{**index.metadata(), "shortest": index.shortest} for index in indexes],
        "codes": [str(code) for code in codes],
        "tokens": vocabulary.to_json(),
        "end": vocabulary.end_id,
        "unknown": vocabulary.unknown_id,
        "length": LONGEST_LINE if lines else DEFAULT_LENGTH,
        "temperature": defaults.temperature,
    }

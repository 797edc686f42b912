"""An extension of griffe that adapts the docstrings of seqgen to the reference pages."""

import io
import re
import tokenize
from typing import Any

import griffe

DOCTEST = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)  # up to an empty line


class SeqgenDocstrings(griffe.Extension):
    """Show doctests as code, and the trailing comment of a dataclass field as its documentation.

    Sections of Google style end where the indentation does, and a doctest without a heading
    would be parsed as quoted text.
    """

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = DOCTEST.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)

    def on_attribute_instance(self, *, attr: griffe.Attribute, **_: Any) -> None:
        if attr.docstring or attr.parent is None or not attr.parent.is_class:
            return
        for token in tokenize.generate_tokens(io.StringIO(attr.source).readline):
            if token.type == tokenize.COMMENT:
                text = token.string.removeprefix("#").strip()
                attr.docstring = griffe.Docstring(text[:1].upper() + text[1:], parent=attr)
                return

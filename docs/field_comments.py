"""An extension of griffe: the trailing comment of a dataclass field is its documentation.

`units: int = 256  # width of each recurrent layer` has no docstring that griffe could find.
"""

import io
import tokenize
from typing import Any

import griffe


class FieldComments(griffe.Extension):
    """Use the comment that follows a field on its line as the docstring of the field."""

    def on_attribute_instance(self, *, attr: griffe.Attribute, **_: Any) -> None:
        if attr.docstring or attr.parent is None or not attr.parent.is_class:
            return
        for token in tokenize.generate_tokens(io.StringIO(attr.source).readline):
            if token.type == tokenize.COMMENT:
                text = token.string.removeprefix("#").strip()
                attr.docstring = griffe.Docstring(text[:1].upper() + text[1:], parent=attr)
                return

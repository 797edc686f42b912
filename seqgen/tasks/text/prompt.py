"""Prompts as ids, and characters that a model does not know."""

from __future__ import annotations

import unicodedata

from seqgen.errors import VocabularyError
from seqgen.types import Ids
from seqgen.vocabulary import END, UNKNOWN, Vocabulary


def encode_prompt(
    vocabulary: Vocabulary, prompt: str, *, skip_unknown: bool = False
) -> tuple[str, Ids]:
    """The prompt as the model can read it, and the ids `(T,)`, at least one, to feed it.

    Where pieces have an end, the ids begin with the end token, as every piece in training does.
    Elsewhere an empty prompt is fed as a newline, or whatever comes first in the vocabulary.

    Args:
        skip_unknown: drop characters that the model has never seen.

    Raises:
        VocabularyError: there are such characters; all of them are listed.

    >>> encode_prompt(Vocabulary(("<end>", "a", "b")), "ab")
    ('ab', array([0, 1, 2], dtype=uint8))
    """
    prompt = prompt.replace("\r\n", "\n").replace("\r", "\n")
    if not skip_unknown:
        advice = "leave them out, or add --skip-unknown to drop them"
        require_known(vocabulary, "the prompt", prompt, advice)
    prompt = "".join(character for character in prompt if character in vocabulary.ids)
    tokens = [*prompt]
    if vocabulary.end_id is not None:
        tokens.insert(0, END)
    elif not tokens:
        printable = [token for token in vocabulary.tokens if token != UNKNOWN]
        tokens = ["\n" if "\n" in vocabulary.ids else printable[0]]
    return prompt, vocabulary.encode(tokens)


def require_known(
    vocabulary: Vocabulary, name: str, characters: str, advice: str = "leave them out"
) -> None:
    """Raise `VocabularyError`, with a list of them, if the model has never seen some characters."""
    unknown = sorted(set(characters) - vocabulary.ids.keys())
    if unknown:
        listed = ", ".join(f"{each!r} ({_code_point_name(each)})" for each in unknown)
        raise VocabularyError(
            f"{name} has characters that the model has never seen: {listed}; {advice}"
        )


def _code_point_name(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()

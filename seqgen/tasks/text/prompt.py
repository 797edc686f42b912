"""Encoding of prompts, and errors for characters that a model does not know."""

from __future__ import annotations

import unicodedata

from seqgen.corpus import sources
from seqgen.errors import ConfigError, CorpusError, VocabularyError
from seqgen.tasks.text.decoding import decoded
from seqgen.types import Ids
from seqgen.vocabulary import END, UNKNOWN, Vocabulary

SHOWN = 10  # unknown characters in a message
MOST_CHARACTERS = 10_000_000  # of a prompt, which the network reads before it generates


def read_prompt(path: str) -> str:
    """Read a prompt from a file in UTF-8, without its final newline, which editors add.

    Args:
        path: a file, or `-` for standard input.

    Raises:
        CorpusError: there is no such file, or it cannot be read or is not text.
        ConfigError: the prompt is too long.
    """
    found = sources.from_path(path)
    if not found or found[0].optional or len(found) > 1:
        raise CorpusError(f"prompt_file: expected a file, got {path!r}; check the name")
    text = ""
    for part in decoded(found[0], "utf-8"):
        text += part
        if len(text) > MOST_CHARACTERS:
            raise ConfigError(
                f"prompt_file: expected at most {MOST_CHARACTERS:,} characters, got more; shorten "
                f"{path}"
            )
    return text.removesuffix("\n")


def encode_prompt(
    vocabulary: Vocabulary, prompt: str, *, skip_unknown: bool = False
) -> tuple[str, Ids]:
    """Normalise and encode a prompt.

    If pieces have an end token, the ids start with it, as every piece does in training. Otherwise
    an empty prompt is encoded as a newline, or as the first token if there is no newline.

    Args:
        vocabulary: of the model.
        prompt: any line endings.
        skip_unknown: drop characters that are not in the vocabulary.

    Returns:
        The normalised prompt without dropped characters, and its ids `(T,)`, at least one.

    Raises:
        VocabularyError: characters are not in the vocabulary; the message lists them.

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
        known = [token for token in vocabulary.tokens if token != UNKNOWN]
        tokens = ["\n" if "\n" in vocabulary.ids else known[0]]
    return prompt, vocabulary.encode(tokens)


def require_known(
    vocabulary: Vocabulary, name: str, characters: str, advice: str = "leave them out"
) -> None:
    """Raise `VocabularyError`, with a list, if characters are not in the vocabulary."""
    unknown = sorted(set(characters) - vocabulary.ids.keys())
    if unknown:
        listed = ", ".join(f"{char!r} ({_code_point_name(char)})" for char in unknown[:SHOWN])
        if len(unknown) > SHOWN:
            listed += f" and {len(unknown) - SHOWN:,} more"
        raise VocabularyError(
            f"{name} has characters that the model has never seen: {listed}; {advice}"
        )


def _code_point_name(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()

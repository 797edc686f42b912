"""Labelled texts or series → a corpus whose pieces have classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from seqgen.corpus import sources as sources_module
from seqgen.corpus.corpus import Corpus
from seqgen.corpus.sources import Source
from seqgen.errors import ConfigError, CorpusError
from seqgen.tasks.base import Metadata
from seqgen.tasks.labels import encoding as encodings
from seqgen.tasks.labels.encoding import Encoding
from seqgen.tasks.labels.examples import Content, Examples
from seqgen.tasks.labels.files import read_parts
from seqgen.tasks.labels.near_duplicates import groups
from seqgen.tasks.labels.split import stratified
from seqgen.tasks.labels.tables import Columns
from seqgen.types import Array, Floats, Json
from seqgen.utils.validate import require, require_whole
from seqgen.vocabulary import Vocabulary

FEW = 1000  # examples, below which twice as many are held out
MOST_LABELS = 10_000
MOST_STEPS = 100_000  # of a sequence
NAMED = 5  # labels named in a message
NGRAMS = 4  # characters of the longest n-gram that a network reads at a step


def read(
    sources: Sequence[Source],
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    tokens: str = "characters",
    encoding: str = "utf-8",
    min_count: int = 2,
    max_length: int = 1000,
    class_weights: bool = True,
    validation: float | None = None,
    **origin: Any,
) -> Corpus:
    """Read texts or series with labels.

    A CSV, TSV or JSON Lines table has columns for texts and labels; a folder has a subfolder of
    texts for every label; `.ts`, the UCR archive's `.tsv` and `.npz` hold series. Of a pair such as
    `Name_TRAIN.ts` and `Name_TEST.ts`, the second one is not trained on, see `Corpus.test`.

    Args:
        sources: the files.
        text_column: name of the column of texts; by default one of usual names.
        label_column: name of the column of labels; by default one of usual names.
        tokens: of texts: `characters` or `words`.
        encoding: of the bytes of texts, such as `utf-8` or `latin-1`.
        min_count: replace tokens that occur less often by `<unk>`.
        max_length: read only the first `max_length` steps of a longer sequence.
        class_weights: weight the losses so that all classes count the same, however many examples
            they have.
        validation: share of every class that is held out; 0.1 by default, 0.2 of few examples.
        origin: fields of `Corpus` that are passed to it unchanged: `name` and others.

    Raises:
        CorpusError: there is nothing to learn, such as a single class.
        ConfigError: an option is out of range.
    """
    _require_valid(tokens, min_count, max_length, validation)
    examples, test = read_parts(sources, Columns(text_column, label_column), encoding)
    labels = _labels(examples)
    if validation is None:
        validation = 0.1 if len(examples) >= FEW else 0.2
    similar = groups(examples.contents)
    training, held_out = stratified(_classes(examples, labels), similar, validation)
    encoded = _fit(examples.subset(training).contents, tokens, min_count, max_length)
    ordered = examples.subset([*training, *held_out])
    pieces = _pieces(ordered, encoded, labels)
    common: dict[str, Any] = {
        "task": "labels",
        "vocabulary": encoded.vocabulary,
        "sha256": sources_module.sha256(sources),
        "options": {
            "text_column": text_column, "label_column": label_column, "tokens": tokens,
            "encoding": encoding, "min_count": min_count, "max_length": max_length,
            "class_weights": class_weights,
        },
        "details": {"labels": labels, "pieces": len(examples), "encoding": encoded.to_json()},
        "network": {
            "pooling": "last",
            "outputs": len(labels),
            "inputs": "numbers" if encoded.of_series else "ids",
            "ngrams": NGRAMS if encoded.tokens == "characters" else 1,
        },
        **origin,
    }  # fmt: skip
    weights = _class_weights(pieces["targets"][: len(training)], len(labels))
    return Corpus(
        validation=validation,
        split=int(pieces["bounds"][len(training)]),
        notes=(*examples.messages(), *_notes(ordered, encoded, pieces["targets"], labels)),
        target_weights=weights if class_weights else None,
        test=_test_part(test, encoded, labels, common) if len(test) else None,
        **pieces,
        **common,
    )


def _require_valid(tokens: str, min_count: int, max_length: int, validation: float | None) -> None:
    """Raise `ConfigError` if an option is out of range."""
    require(tokens in encodings.TOKENS, "tokens", f"one of {', '.join(encodings.TOKENS)}", tokens)
    require_whole("min_count", min_count, 1)
    require_whole("max_length", max_length, 1, MOST_STEPS)
    if validation is not None:
        ok = isinstance(validation, (int, float)) and 0 <= validation <= 0.5
        require(ok, "validation", "a fraction from 0 to 0.5", validation)


def read_like(
    sources: Sequence[Source],
    metadata: Metadata,
    vocabulary: Vocabulary,
    options: Json,
    **origin: Any,
) -> Corpus:
    """Read sequences to score in the encoding of a model, see `Task.read_like`."""
    known = {**metadata["options"], **options}
    columns = Columns(known["text_column"], known["label_column"])
    examples, test = read_parts(sources, columns, known["encoding"])
    details = metadata["details"]
    encoded = Encoding.from_json(details["encoding"], vocabulary)
    common = {
        "task": "labels",
        "vocabulary": vocabulary,
        "sha256": sources_module.sha256(sources),
        "options": known,
        "details": details,
        **origin,
    }
    return labelled(test if len(test) else examples, encoded, details["labels"], **common)


def labelled(
    examples: Examples, encoding: Encoding, labels: Sequence[str], **fields: Any
) -> Corpus:
    """A corpus of examples in the encoding of a model, all of them for scoring.

    Args:
        examples: those of other labels are left out.
        encoding: of the model.
        labels: of the model.
        fields: other fields of `Corpus`.

    Raises:
        CorpusError: no example can be used.
    """
    _require_like(examples, encoding)
    names = set(labels)
    known = [number for number, label in enumerate(examples.labels) if label in names]
    unknown = Counter(str(label) for label in examples.labels if label not in names)
    notes = examples.messages()
    if unknown:
        shown = ", ".join(map(repr, list(unknown)[:NAMED]))
        notes.append(
            f"left out {unknown.total():,} examples whose label the model has never seen: {shown}"
        )
    if not known:
        raise CorpusError(
            f"expected examples with labels of the model, such as {labels[0]!r}, got none; "
            f"{'; '.join(notes) or 'the file is empty'}"
        )
    pieces = _pieces(examples.subset(known), encoding, labels)
    return Corpus(validation=0.0, split=len(pieces["ids"]), notes=tuple(notes), **fields, **pieces)


def _require_like(examples: Examples, encoding: Encoding) -> None:
    """Raise `CorpusError` if examples are of another kind than those of a model."""
    if len(examples) and examples.has_series != encoding.of_series:
        kind = "series" if encoding.of_series else "texts"
        raise CorpusError(f"expected {kind}, like the model; choose another file")
    channels = len(encoding.vocabulary)
    if encoding.of_series and examples.channels not in (0, channels):
        raise CorpusError(
            f"expected series with {channels} channels, like the model, got {examples.channels}; "
            "choose another file"
        )


def _test_part(
    test: Examples, encoding: Encoding, labels: Sequence[str], common: dict[str, Any]
) -> Corpus:
    return labelled(test, encoding, labels, **{**common, "name": f"test part of {common['name']}"})


def _labels(examples: Examples) -> list[str]:
    """The labels, sorted; numbers by their value.

    Raises:
        CorpusError: there is no example, a label is missing, or there are not two labels.
    """
    if not len(examples):
        reasons = "; ".join(examples.messages()) or "the files are empty"
        raise CorpusError(f"no labelled sequence to learn from: {reasons}; choose another corpus")
    if None in examples.labels:
        raise CorpusError("expected a label for every sequence, got none in the files; add them")
    labels = sorted({str(label) for label in examples.labels}, key=_by_value)
    if len(labels) < 2:
        raise CorpusError(
            f"expected at least two labels, got only {labels[0]!r}; add examples of another one"
        )
    if len(labels) > MOST_LABELS or len(labels) > len(examples) / 2 + 1:
        raise CorpusError(
            f"expected some examples of every label, got {len(labels):,} labels for "
            f"{len(examples):,} examples; name the column of labels with --label-column"
        )
    return labels


def _by_value(label: str) -> tuple[bool, float, str]:
    try:
        return False, float(label), label
    except ValueError:
        return True, 0.0, label


def _fit(contents: Sequence[Content], tokens: str, min_count: int, max_length: int) -> Encoding:
    texts = [content for content in contents if isinstance(content, str)]
    if texts:
        return encodings.fit_text(texts, tokens, min_count, max_length)
    if tokens != "characters":
        raise ConfigError(
            f"tokens: expected texts, got series, which have no {tokens}; leave it out"
        )
    series = [content for content in contents if not isinstance(content, str)]
    return encodings.fit_series(series, max_length)


def _classes(examples: Examples, labels: Sequence[str]) -> Array:
    """The number of the label of every example, `(N,)`."""
    numbers = {label: number for number, label in enumerate(labels)}
    return np.array([numbers[str(label)] for label in examples.labels], np.int32)


def _pieces(examples: Examples, encoding: Encoding, labels: Sequence[str]) -> dict[str, Any]:
    """The fields `ids`, `bounds`, `targets` and `texts` of a corpus."""
    pieces: list[Array] = [encoding.encode(content) for content in examples.contents]
    return {
        "ids": np.concatenate(pieces),
        "bounds": np.concatenate(([0], np.cumsum([len(piece) for piece in pieces]))),
        "targets": _classes(examples, labels),
        "texts": tuple(each for each in examples.contents if isinstance(each, str)),
    }


def _class_weights(classes: Array, count: int) -> Floats:
    """The weight of every class `(K,)`: N / (K n), with n of its N examples."""
    numbers = np.bincount(classes, minlength=count)
    return np.asarray(len(classes) / (count * np.maximum(numbers, 1)), np.float32)


def _notes(
    examples: Examples, encoding: Encoding, classes: Array, labels: Sequence[str]
) -> list[str]:
    """What the user should know about examples whose classes are `classes` `(N,)`."""
    notes = []
    counts = np.bincount(classes, minlength=len(labels)).tolist()
    single = [label for label, count in zip(labels, counts, strict=True) if count == 1]
    if single:
        names = ", ".join(map(repr, single[:NAMED]))
        more = ", …" if len(single) > NAMED else ""
        notes.append(f"labels with one example, which is not held out: {names}{more}")
    lengths = map(encoding.length, examples.contents)
    longer = sum(length > encoding.max_length for length in lengths)
    if longer:
        notes.append(
            f"{longer:,} sequences are longer than {encoding.max_length:,} steps: their ends are "
            "left out; --max-length sets another limit"
        )
    return notes

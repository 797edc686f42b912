"""What a user gives to classify: texts, files and standard input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from seqgen.corpus import sources
from seqgen.errors import CorpusError
from seqgen.tasks.labels import tables
from seqgen.tasks.labels.classifier import Classifier
from seqgen.tasks.labels.examples import Content, Examples
from seqgen.tasks.labels.files import read_parts
from seqgen.tasks.labels.tables import Columns
from seqgen.tasks.requests import ClassificationRequest, Classified

ROWS = 1024  # that are classified at a time
FILES = {*tables.SUFFIXES, ".ts", ".npz", ".txt"}  # suffixes of what is a file, not a text


def classified(classifier: Classifier, request: ClassificationRequest) -> Iterator[Classified]:
    """Label texts, or the rows of files, in order; errors as for `Task.classify`."""
    examples = read_inputs(request, of_series=classifier.of_series)
    for message in examples.messages():
        request.say(message)
    if not len(examples):
        raise CorpusError(
            f"{', '.join(request.given) or 'the text'}: expected something to classify, got "
            "nothing; give a text, a file or -"
        )
    for first in range(0, len(examples), ROWS):
        yield from _labels(classifier, examples.contents[first : first + ROWS], request.explain)


def _labels(
    classifier: Classifier, contents: Sequence[Content], explain: bool
) -> Iterator[Classified]:
    for content, prediction in zip(contents, classifier.classify(*contents), strict=True):
        if not explain:
            yield Classified(content, *prediction)
            continue
        course = classifier.explain(content)
        columns = course.probabilities.T.tolist()
        by_label = dict(zip(course.labels, columns, strict=True))
        yield Classified(content, *prediction, course.steps, by_label)


def read_inputs(request: ClassificationRequest, *, of_series: bool) -> Examples:
    """The texts or series that the user gave.

    An existing path is a file or a folder; `-` is standard input, a text in every line.

    Args:
        request: what the user gave, with the options `text_column` and `encoding`.
        of_series: whether they should be series; these are only read from files.

    Raises:
        CorpusError: a file cannot be read.
    """
    columns = Columns(request.options.get("text_column"), needs_label=False)
    encoding = request.options.get("encoding", "utf-8")
    examples = Examples()
    for given in request.given:
        found = _files(given, of_series)
        if found is None:
            examples.add(given, None)
        else:
            for part in read_parts(found, columns, encoding):
                examples.extend(part)
    return examples


def _files(given: str, of_series: bool) -> list[sources.Source] | None:
    """The files that an argument names; None if it is a text."""
    is_file = of_series or PurePath(given).suffix.lower() in FILES
    try:
        found = sources.from_path(given) if given else None
    except CorpusError:  # cannot be a path, such as a long text
        if is_file:
            raise
        return None
    if found is None and is_file:
        raise CorpusError(
            f"{given}: no such file; check the path"
            + ("; a series is read from .ts, .tsv or .npz" if of_series else "")
        )
    return found

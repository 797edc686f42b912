"""Labels of sequences as text, JSON and pictures."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from seqgen.errors import ConfigError, one_line
from seqgen.reporting import plots
from seqgen.tasks.requests import Classified
from seqgen.types import Json
from seqgen.utils.atomic_files import atomic_write

MOST_COLUMNS = 12  # labels of a confusion matrix in a terminal
NAME_WIDTH = 12  # characters of a label in it
SHOWN_CELLS = 10  # mistakes that are listed for more labels
SHOWN = 80  # characters of a text
MOST_CURVES = 6  # labels in a picture, those that were most probable at some step
# Background colours of a terminal with 256, from improbable to probable.
COLOURS = (52, 88, 94, 58, 64, 28)


def require_picture(path: Path, *, explain: bool) -> None:
    """Raise unless a picture was asked for with `--explain`, under a name that can be written."""
    if not explain:
        raise ConfigError(
            f"--output {path} applies to --explain, which is not given; add --explain"
        )
    plots.require_picture(path)


def as_json(found: Classified) -> Json:
    """A labelled sequence as plain data; numbers of a series are left out."""
    data: Json = {"label": found.label, "probabilities": found.probabilities}
    if isinstance(found.content, str):
        data["text"] = found.content
    if found.course:
        data |= {"steps": found.steps, "course": found.course}
    return data


def line(found: Classified) -> str:
    """A labelled sequence as a line, or two if it is explained.

    >>> line(Classified("fine", "good", {"good": 0.75, "bad": 0.25}))
    'good  0.750  fine'
    """
    text = one_line(found.content) if isinstance(found.content, str) else ""
    shown = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
    start = f"{one_line(found.label)}  {found.probabilities[found.label]:.3f}"
    if not found.course or not found.steps:
        return f"{start}  {shown}".rstrip()
    return f"{start}\n{_course(found)}"


def _course(found: Classified) -> str:
    """The tokens on the colours of their probabilities; without colours, deciles below them."""
    assert found.course and found.steps
    values = found.course[found.label]
    is_text = isinstance(found.content, str)
    if is_text:
        gap = " " * any(len(step) > 1 for step in found.steps)  # between words
        tokens = [one_line(step) + gap for step in found.steps]
    else:
        tokens = [" "] * len(values)
    if has_colours():
        return "".join(map(_coloured, tokens, values)) + "\x1b[0m"
    deciles = "".join(
        f"{min(int(10 * value), 9)}".ljust(len(token))
        for token, value in zip(tokens, values, strict=True)
    )
    return f"{''.join(tokens)}\n{deciles}" if is_text else deciles


def _coloured(token: str, probability: float) -> str:
    colour = COLOURS[min(int(probability * len(COLOURS)), len(COLOURS) - 1)]
    return f"\x1b[48;5;{colour}m{token}"


def has_colours() -> bool:
    """Whether stdout is a terminal whose user wants colours (no-color.org)."""
    return sys.stdout is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def scores(evaluation: Json) -> str:
    """The scores of an evaluation of labels as lines of text.

    Args:
        evaluation: of `seqgen.evaluation.classification.evaluate`.
    """
    rows = {"this model": evaluation, **evaluation["baselines"]}
    width = max(map(len, rows))
    lines = [
        f"{evaluation['corpus']}: {evaluation['sequences']:,} sequences",
        f"{'':{width}}  accuracy  macro F1  log loss",
    ]
    lines += [
        f"{name:{width}}  {row['accuracy']:8.4f}  {row['macro_f1']:8.4f}  {row['log_loss']:8.4f}"
        for name, row in rows.items()
    ]
    return "\n".join([*lines, "", *_confusion(evaluation["confusion"], evaluation["labels"])])


def _confusion(confusion: list[list[int]], labels: list[str]) -> list[str]:
    """The confusion matrix; of many labels only the most frequent mistakes."""
    if len(labels) > MOST_COLUMNS:
        cells = np.array(confusion)
        np.fill_diagonal(cells, 0)
        worst = [
            divmod(int(place), len(labels)) for place in np.argsort(-cells, axis=None)[:SHOWN_CELLS]
        ]
        mistakes = [f"{labels[i]} as {labels[j]} {cells[i, j]}" for i, j in worst if cells[i, j]]
        return [f"most frequent mistakes: {', '.join(mistakes) or 'none'}"]
    names = [one_line(label)[:NAME_WIDTH] for label in labels]
    width = max(max(map(len, names)), 5)
    header = "true \\ predicted"
    first = max(width, len(header))
    rows = [f"{header:{first}}" + "".join(f"  {name:>{width}}" for name in names)]
    rows += [
        f"{name:{first}}" + "".join(f"  {count:>{width}}" for count in row)
        for name, row in zip(names, confusion, strict=True)
    ]
    return rows


def save_course(found: Classified, path: Path) -> None:
    """Plot a sequence, and the probabilities of its labels after every step.

    Args:
        found: with its course.
        path: ends in `.png` or `.svg`; an existing file is renamed.

    Raises:
        OutputError: the file cannot be written.
    """
    from matplotlib.ticker import MaxNLocator

    assert found.course and found.steps
    figure = plots.figure_of(8, 5)
    is_text = isinstance(found.content, str)
    upper, lower = (None, figure.add_subplot()) if is_text else figure.subplots(2, sharex=True)
    steps = np.arange(1, len(found.steps) + 1)
    if upper is not None:
        upper.plot(steps, np.asarray(found.content)[: len(steps)])
        upper.set(ylabel="series")
    course = found.course
    highest = sorted(course, key=lambda label: -max(course[label]))
    for label in highest[:MOST_CURVES]:
        lower.plot(steps, found.course[label], label=label)
    lower.set(xlabel="step", ylabel="probability", ylim=(-0.02, 1.02))
    if is_text and len(steps) <= SHOWN:
        lower.set_xticks(steps, found.steps)
    else:
        lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    lower.grid(alpha=0.3)
    lower.legend()
    with atomic_write(path, keep=True) as temporary:
        figure.savefig(temporary, dpi=120, format=path.suffix[1:])

"""Plots of training curves and of comparisons of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seqgen.errors import OutputError
from seqgen.utils.atomic_files import atomic_write, require_writable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from seqgen.evaluation.compare_cells import CellResult
    from seqgen.types import Json

SUFFIXES = (".png", ".svg")  # of pictures
SHOWN_LABEL = 20  # characters
MOST_NUMBERED = 25  # labels up to which the cells of a confusion matrix have numbers


def figure_of(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, without pyplot, which would look for a display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_loss_curve(history: Sequence[Json], path: Path) -> None:
    """Plot the training and the validation loss against the tokens seen.

    Args:
        history: `ModelData.history`, one entry for each validation; not empty.
        path: ends in `.png`; an existing file is renamed.

    Raises:
        OutputError: the file cannot be written.

    >>> import tempfile
    >>> losses = {"training_loss": 1.5, "validation_loss": 1.6}
    >>> path = Path(tempfile.mkdtemp()) / "loss.png"
    >>> save_loss_curve([{"tokens_seen": 1000, **losses}, {"tokens_seen": 2000, **losses}], path)
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    from matplotlib.ticker import EngFormatter

    figure = figure_of(7, 4)
    axes = figure.add_subplot()
    tokens = [entry["tokens_seen"] for entry in history]
    validation = [entry["validation_loss"] for entry in history]
    axes.plot(tokens, [entry["training_loss"] for entry in history], label="training")
    axes.plot(tokens, validation, label="validation")
    best = min(range(len(history)), key=validation.__getitem__)
    axes.plot(
        tokens[best], validation[best], "o", color="C1", label=f"best: {validation[best]:.3f}"
    )
    axes.set(xlabel="tokens seen", ylabel="loss, nats per token")
    axes.xaxis.set_major_formatter(EngFormatter())
    axes.grid(alpha=0.3)
    axes.legend()
    with atomic_write(path, keep=True) as temporary:
        figure.savefig(temporary, dpi=120)


def require_picture(path: Path) -> None:
    """Raise `OutputError` unless a picture can be written under a name."""
    if path.suffix not in SUFFIXES:
        raise OutputError(
            f"{path}: expected a name that ends in {' or '.join(SUFFIXES)}; try {path.stem}.png"
        )
    require_writable(path)


def save_confusion(confusion: Sequence[Sequence[int]], labels: Sequence[str], path: Path) -> None:
    """Draw a confusion matrix: a row for every true label, a column for every predicted one.

    Colours are shares of the rows.

    Args:
        confusion: numbers of sequences, `(K, K)`.
        labels: their names.
        path: ends in `.png` or `.svg`; an existing file is renamed.

    Raises:
        OutputError: the file cannot be written.
    """
    import numpy as np

    counts = np.array(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = min(max(3.5 + 0.35 * len(labels), 4.5), 16)
    figure = figure_of(size + 1, size)
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = [
        label if len(label) <= SHOWN_LABEL else f"{label[: SHOWN_LABEL - 1]}…" for label in labels
    ]
    axes.set_xticks(range(len(labels)), names, rotation=90)
    axes.set_yticks(range(len(labels)), names)
    axes.set(xlabel="predicted", ylabel="true")
    if len(labels) <= MOST_NUMBERED:
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{count}", ha="center", va="center", color=colour)
    figure.colorbar(image, label="share of the true label")
    with atomic_write(path, keep=True) as temporary:
        figure.savefig(temporary, dpi=120, format=path.suffix[1:], bbox_inches="tight")


def save_comparison(results: Mapping[str, CellResult], uniform_loss: float, path: Path) -> None:
    """Plot the validation loss against time and tokens seen, and the loss of delayed recall.

    Args:
        results: cell → result, as `seqgen.evaluation.compare_cells.compare` returns them.
        uniform_loss: the loss in nats of uniform guessing in the delayed recall task.
        path: ends in `.png` or `.svg`; an existing file is renamed.

    Raises:
        OutputError: the file cannot be written.

    >>> import tempfile
    >>> history = [{"seconds": s, "tokens_seen": 90 * s, "validation_loss": 9 / s} for s in (3, 6)]
    >>> path = Path(tempfile.mkdtemp()) / "compare.png"
    >>> save_comparison({"gru": {"history": history, "recall": {5: 0.1, 10: 2.0}}}, 2.08, path)
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    from matplotlib.ticker import EngFormatter, NullFormatter, ScalarFormatter

    recalls = {cell: result["recall"] for cell, result in results.items() if result.get("recall")}
    panels = 3 if recalls else 2
    figure = figure_of(4 * panels, 3.6)
    time, tokens, *recall_axes = figure.subplots(1, panels)
    for number, (cell, result) in enumerate(results.items()):
        losses = [entry["validation_loss"] for entry in result["history"]]
        minutes = [entry["seconds"] / 60 for entry in result["history"]]
        seen = [entry["tokens_seen"] for entry in result["history"]]
        time.plot(minutes, losses, f".-C{number}", label=cell)
        tokens.plot(seen, losses, f".-C{number}", label=cell)
        for axes in recall_axes if cell in recalls else ():
            axes.plot(list(recalls[cell]), list(recalls[cell].values()), f"o-C{number}", label=cell)
    time.set(xlabel="minutes", ylabel="validation loss, nats per token")
    tokens.set(xlabel="tokens seen")
    tokens.xaxis.set_major_formatter(EngFormatter())
    for axes in recall_axes:
        axes.axhline(uniform_loss, color="gray", linestyle=":", label="uniform guessing")
        axes.set(xscale="log", xlabel="gap, tokens", ylabel="loss of the recalled symbol, nats")
        axes.set_xticks(list(next(iter(recalls.values()))))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
    for axes in (time, tokens, *recall_axes):
        axes.grid(alpha=0.3)
        axes.legend()
    with atomic_write(path, keep=True) as temporary:
        figure.savefig(temporary, dpi=110, format=path.suffix[1:])

"""Training curves and comparisons of cells as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seqgen.utils.atomic_files import atomic_write


def _figure(width: float, height: float) -> Any:
    """An empty figure, in inches; pyplot is not used because it looks for a screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_loss_curve(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw the training and the validation loss over the tokens seen, and write a PNG.

    Args:
        history: as a model file holds it: one entry for each validation.
        path: ends in `.png`; what stands there is kept under another name.

    Raises:
        OutputError: it cannot be written.

    >>> import tempfile
    >>> losses = {"training_loss": 1.5, "validation_loss": 1.6}
    >>> path = Path(tempfile.mkdtemp()) / "loss.png"
    >>> save_loss_curve([{"tokens_seen": 1000, **losses}, {"tokens_seen": 2000, **losses}], path)
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    from matplotlib.ticker import EngFormatter

    figure = _figure(7, 4)
    axes = figure.add_subplot()
    tokens = [each["tokens_seen"] for each in history]
    validation = [each["validation_loss"] for each in history]
    axes.plot(tokens, [each["training_loss"] for each in history], label="training")
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


def save_comparison(found: Mapping[str, Mapping[str, Any]], chance: float, path: Path) -> None:
    """Draw the validation loss over the time and over the tokens seen, and the loss of recalling.

    Args:
        found: as `seqgen.evaluation.compare_cells.compare` gives it.
        chance: the loss of a guess, where the cells were to recall.
        path: ends in `.png` or `.svg`; what stands there is kept under another name.

    Raises:
        OutputError: it cannot be written.

    >>> import tempfile
    >>> history = [{"seconds": s, "tokens_seen": 90 * s, "validation_loss": 9 / s} for s in (3, 6)]
    >>> path = Path(tempfile.mkdtemp()) / "compare.png"
    >>> save_comparison({"gru": {"history": history, "recall": {5: 0.1, 10: 2.0}}}, 2.08, path)
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    from matplotlib.ticker import EngFormatter, NullFormatter, ScalarFormatter

    recalls = {cell: each["recall"] for cell, each in found.items() if each.get("recall")}
    panels = 3 if recalls else 2
    figure = _figure(4 * panels, 3.6)
    time, tokens, *further = figure.subplots(1, panels)
    for number, (cell, each) in enumerate(found.items()):
        losses = [entry["validation_loss"] for entry in each["history"]]
        seconds = [entry["seconds"] / 60 for entry in each["history"]]
        seen = [entry["tokens_seen"] for entry in each["history"]]
        time.plot(seconds, losses, f".-C{number}", label=cell)
        tokens.plot(seen, losses, f".-C{number}", label=cell)
        for axes in further if cell in recalls else ():
            axes.plot(list(recalls[cell]), list(recalls[cell].values()), f"o-C{number}", label=cell)
    time.set(xlabel="minutes", ylabel="validation loss, nats per token")
    tokens.set(xlabel="tokens seen")
    tokens.xaxis.set_major_formatter(EngFormatter())
    for axes in further:
        axes.axhline(chance, color="gray", linestyle=":", label="a guess")
        axes.set(xscale="log", xlabel="gap, tokens", ylabel="loss of the symbol after it, nats")
        axes.set_xticks(list(next(iter(recalls.values()))))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
    for axes in (time, tokens, *further):
        axes.grid(alpha=0.3)
        axes.legend()
    with atomic_write(path, keep=True) as temporary:
        figure.savefig(temporary, dpi=110, format=path.suffix[1:])

"""Cells side by side as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqgen.utils.atomic_files import atomic_write


def save(found: Mapping[str, Mapping[str, Any]], chance: float, path: Path) -> None:
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
    >>> save({"gru": {"history": history, "recall": {5: 0.1, 10: 2.0}}}, 2.08, path)
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure  # not pyplot, which looks for a screen
    from matplotlib.ticker import EngFormatter, NullFormatter, ScalarFormatter

    recalls = {cell: each["recall"] for cell, each in found.items() if each.get("recall")}
    panels = 3 if recalls else 2
    figure = Figure(figsize=(4 * panels, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
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
        axes.set(xscale="log", xlabel="gap, tokens", ylabel="loss of a symbol behind it, nats")
        axes.set_xticks(list(next(iter(recalls.values()))))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
    for axes in (time, tokens, *further):
        axes.grid(alpha=0.3)
        axes.legend()
    with atomic_write(path, keep=True) as temporary:
        figure.savefig(temporary, dpi=110, format=path.suffix[1:])

"""A run's losses as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqgen.utils.atomic_files import atomic_write


def save(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw the training and the validation loss over the tokens seen, and write a PNG.

    Args:
        history: as a model file holds it: one entry for each validation.
        path: ends in `.png`; what stands there is kept under another name.

    Raises:
        OutputError: it cannot be written.

    >>> import tempfile
    >>> losses = {"training_loss": 1.5, "validation_loss": 1.6}
    >>> path = Path(tempfile.mkdtemp()) / "loss.png"
    >>> save([{"tokens_seen": 1000, **losses}, {"tokens_seen": 2000, **losses}], path)
    >>> path.read_bytes()[1:4]
    b'PNG'
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure  # not pyplot, which looks for a screen
    from matplotlib.ticker import EngFormatter

    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
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

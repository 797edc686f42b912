"""Cells side by side: what each learns of a corpus in the same time, and how long it remembers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from seqgen.cells.base import get as get_cell
from seqgen.cells.base import names as cell_names
from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError, TrainingError
from seqgen.evaluation import delayed_recall
from seqgen.network import build as network
from seqgen.training import cluster, loop, setup
from seqgen.training.callbacks import Callback, Callbacks, Progress
from seqgen.training.request import RunInputs, RunRequest

MOMENT = 1e-6  # minutes: a run of one step


def compare(
    corpus: Corpus,
    cells: Sequence[str] | None = None,
    *,
    minutes: float | None = None,
    recalls: bool = True,
    callback: Callback | None = None,
    **options: Any,
) -> dict[str, dict[str, Any]]:
    """Train a network of each cell with the same options, budget and seed.

    What nobody sets is chosen once, for the costliest of the cells, and is the same for all.
    Ctrl-C ends the cell that is learning, and the comparison with it.

    Args:
        corpus: what they learn.
        cells: names of cells; None takes all.
        minutes: for each cell; 5 unless `epochs` is given.
        recalls: each, without `cell_options`, also learns for as long again to repeat a symbol
            after gaps (`seqgen.evaluation.delayed_recall`).
        callback: told of every run.
        options: as for `seqgen.train`, but for `cell`.

    Returns:
        For each cell its `scores`, `tokens_per_second` and `history` (`loop.Result`), and
        with `recalls` the loss after each gap as `recall`, and how far it reaches, `remembered`.

    Raises:
        ConfigError: a cell is unknown or named twice, or an option is wrong.
        CorpusError: the corpus is smaller than one batch.
        TrainingError: the loss of the first cell explodes.

    >>> from seqgen.tasks.load import load_corpus
    >>> corpus = load_corpus("python-docs")
    >>> run = {"epochs": 0.001, "units": 8, "batch_size": 2, "recalls": False}
    >>> list(compare(corpus, ["gru", "simple_rnn"], **run))
    ['gru', 'simple_rnn']
    """
    callback = callback or Callback()
    cells = cell_names() if cells is None else cells
    require_cells(cells)
    options = {"minutes": minutes, **options}
    for cell in cells:  # raises errors before the first run
        network.build(RunRequest({**options, "cell": cell}).model_config, vocabulary_size=2)
    costliest = max(cells, key=lambda cell: get_cell(cell).gates)
    inputs = RunInputs(RunRequest({**options, "cell": costliest}), corpus)
    run_setup = setup.resolve(inputs, callback)
    found: dict[str, dict[str, Any]] = {}
    try:
        _warm_up(run_setup, cells[0])
        for number, cell in enumerate(cells, 1):
            callback.on_message(f"{cell}, {number} of {len(cells)}")
            _learn(run_setup, cell, callback, found)
        for number, cell in enumerate(found if recalls else (), 1):
            callback.on_message(f"{cell}, {number} of {len(found)}: recall")
            _learn_to_recall(run_setup, cell, callback, found)
    except (KeyboardInterrupt, TrainingError) as error:
        if not found:
            raise
        callback.on_message(f"ended early: {str(error) or 'Ctrl-C'}")
    return found


def require_cells(cells: Sequence[str]) -> None:
    """Raise `ConfigError` unless all are cells, and different ones."""
    for cell in cells:
        if cell not in cell_names():
            raise ConfigError(f"cells: expected some of {', '.join(cell_names())}, got {cell!r}")
    if not cells or len(set(cells)) < len(cells):
        raise ConfigError(f"cells: expected each once, got {', '.join(cells) or 'none'}")
    if cluster.machine_count() > 1:
        raise ConfigError("compare: expected one machine, got several in TF_CONFIG")


def _warm_up(run_setup: setup.RunSetup, cell: str) -> None:
    """A step that counts for nothing: the first one in a process takes a second or two longer,
    which must not be the first cell's loss."""
    moment = dataclasses.replace(run_setup.train_config, minutes=MOMENT, epochs=None)
    _learn(dataclasses.replace(run_setup, train_config=moment), cell, Callback(), {})


def _learn(
    run_setup: setup.RunSetup, cell: str, callback: Callback, found: dict[str, dict[str, Any]]
) -> None:
    speed = _Speed()
    model_config = dataclasses.replace(run_setup.model_config, cell=cell)
    result = loop.train(
        dataclasses.replace(run_setup, model_config=model_config), Callbacks(callback, speed)
    )
    found[cell] = {
        "scores": result.scores,
        "tokens_per_second": speed.tokens_per_second,
        "history": result.history,
    }
    if result.scores["ended_early"] == "Ctrl-C":
        raise KeyboardInterrupt


def _learn_to_recall(
    run_setup: setup.RunSetup, cell: str, callback: Callback, found: dict[str, dict[str, Any]]
) -> None:
    config = run_setup.train_config
    minutes = config.minutes or found[cell]["scores"]["seconds"] / 60
    losses = found[cell]["recall"] = {}
    for gap in delayed_recall.GAPS:
        share = minutes / len(delayed_recall.GAPS)
        losses[gap] = delayed_recall.learn(cell, gap, share, config.seed, _Steps(callback))
    found[cell]["remembered"] = delayed_recall.remembered(losses)


class _Speed(Callback):
    """Keeps how fast a run was at its end."""

    tokens_per_second = 0.0

    def on_step(self, progress: Progress) -> None:
        """Note it."""
        self.tokens_per_second = progress.tokens_per_second


class _Steps(Callback):
    """Passes on how a run goes, and nothing that there is to tell of it."""

    def __init__(self, callback: Callback) -> None:
        self.callback = callback

    def on_step(self, progress: Progress) -> None:
        """Pass it on."""
        self.callback.on_step(progress)

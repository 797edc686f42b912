"""Comparison of cells: their losses after the same training, and how far back they remember."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypedDict

from seqgen.cells.base import get as get_cell
from seqgen.cells.base import names as cell_names
from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError, TrainingError
from seqgen.evaluation import delayed_recall
from seqgen.network import build as network
from seqgen.training import cluster, loop, setup
from seqgen.training.callbacks import Callback, Callbacks, Progress
from seqgen.training.request import RunInputs, RunRequest
from seqgen.training.state import HistoryEntry
from seqgen.types import Json
from seqgen.utils.sigint import INTERRUPTIONS, interruption

ONE_STEP = 1e-6  # minutes, for a run of a single step


class Trained(TypedDict):
    """A network of one cell, trained on the corpus."""

    scores: Json  # see `loop.Result`
    history: list[HistoryEntry]
    tokens_per_second: float


class CellResult(Trained, total=False):
    """The result of one cell, with delayed recall if that was measured."""

    recall: dict[int, float]  # gap → loss in nats
    remembered: int  # the longest gap that was learned


def compare(
    corpus: Corpus,
    cells: Sequence[str] | None = None,
    *,
    minutes: float | None = None,
    recalls: bool = True,
    callback: Callback | None = None,
    **options: object,
) -> dict[str, CellResult]:
    """Train a network of each cell with the same options, budget and seed.

    Options that are not given are chosen once, for the most expensive cell, and used for all.
    Ctrl-C ends the current run and the comparison.

    Args:
        corpus: the training corpus.
        cells: names of cells; None for all.
        minutes: of training per cell; 5 unless `epochs` is given.
        recalls: also train every cell, for the same time and without `cell_options`, on delayed
            recall (`seqgen.evaluation.delayed_recall`).
        callback: receives the progress of every run.
        options: of `seqgen.train`, except `cell`.

    Returns:
        Cell → result.

    Raises:
        ConfigError: a cell is unknown or repeated, or an option is invalid.
        CorpusError: the corpus is smaller than one batch.
        TrainingError: the loss of the first cell diverges.

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
    of_network = setup.network_options(corpus, options)
    for cell in cells:  # fail before training
        network.build(RunRequest({**of_network, "cell": cell}).model_config, vocabulary_size=2)
    costliest = max(cells, key=lambda cell: get_cell(cell).gates)
    inputs = RunInputs(RunRequest({**options, "cell": costliest}, mix=False), corpus)
    run_setup = setup.resolve(inputs, callback)
    results: dict[str, CellResult] = {}
    try:
        _warm_up(run_setup, cells[0])
        for number, cell in enumerate(cells, 1):
            callback.on_message(f"{cell}, {number} of {len(cells)}")
            _train(run_setup, cell, callback, results)
        for number, cell in enumerate(results if recalls else (), 1):
            callback.on_message(f"{cell}, {number} of {len(results)}: recall")
            _train_recall(run_setup, cell, callback, results)
    except (KeyboardInterrupt, TrainingError) as error:
        if not results:
            raise
        reason = interruption(error) if isinstance(error, KeyboardInterrupt) else str(error)
        callback.on_message(f"ended early: {reason}")
    return results


def require_cells(cells: Sequence[str]) -> None:
    """Raise `ConfigError` unless the cells are known and distinct, and this is the only machine."""
    for cell in cells:
        if cell not in cell_names():
            raise ConfigError(
                f"cells: expected some of {', '.join(cell_names())}, got {cell!r}; correct or "
                "remove it"
            )
    if not cells or len(set(cells)) < len(cells):
        raise ConfigError(
            f"cells: expected distinct cells, got {', '.join(cells) or 'none'}; give each one once"
        )
    if cluster.machine_count() > 1:
        raise ConfigError(
            "compare: expected one machine, got several in TF_CONFIG; unset this variable"
        )


def _warm_up(run_setup: setup.RunSetup, cell: str) -> None:
    """Run one step and discard its result.

    The first step in a process is slow, which would put the first cell at a disadvantage.
    """
    one_step = dataclasses.replace(run_setup.train_config, minutes=ONE_STEP, epochs=None)
    _train(dataclasses.replace(run_setup, train_config=one_step), cell, Callback(), {})


def _train(
    run_setup: setup.RunSetup, cell: str, callback: Callback, results: dict[str, CellResult]
) -> None:
    speed = _Speed()
    run_setup = dataclasses.replace(
        run_setup,
        model_config=dataclasses.replace(run_setup.model_config, cell=cell),
        started=None,  # its time begins now, not with that of the first cell
    )
    result = loop.train(run_setup, Callbacks(callback, speed))
    results[cell] = {
        "scores": result.scores,
        "tokens_per_second": speed.tokens_per_second,
        "history": result.history,
    }
    if result.scores["ended_early"] in INTERRUPTIONS:
        raise KeyboardInterrupt(result.scores["ended_early"])


def _train_recall(
    run_setup: setup.RunSetup, cell: str, callback: Callback, results: dict[str, CellResult]
) -> None:
    config = run_setup.train_config
    minutes = config.minutes or results[cell]["scores"]["seconds"] / 60
    losses: dict[int, float] = {}
    results[cell]["recall"] = losses
    for gap in delayed_recall.GAPS:
        share = minutes / len(delayed_recall.GAPS)
        losses[gap] = delayed_recall.train(cell, gap, share, config.seed, _StepsOnly(callback))
    results[cell]["remembered"] = delayed_recall.remembered(losses)


class _Speed(Callback):
    """Records the speed of a run."""

    tokens_per_second = 0.0

    def on_step(self, progress: Progress) -> None:
        """Record the latest speed."""
        self.tokens_per_second = progress.tokens_per_second


class _StepsOnly(Callback):
    """Passes on the steps of a run, but not its messages and validations."""

    def __init__(self, callback: Callback) -> None:
        self.callback = callback

    def on_step(self, progress: Progress) -> None:
        """Pass on a step."""
        self.callback.on_step(progress)

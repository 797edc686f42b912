"""A training run in a process of its own: `python -m seqgen.studio.training_process`.

It reads the run as JSON from standard input, and prints a line of JSON for everything that happens:
`message`, `step`, `validation`, and at last `done` or `error`. SIGTERM ends the run early, and the
model is saved. If nobody reads the lines any more, the run goes on and the model is saved.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from seqgen.errors import SeqgenError
from seqgen.reporting import summaries
from seqgen.training.callbacks import Callback, Progress
from seqgen.types import Json
from seqgen.utils.sigint import requests_interrupt

SECONDS_BETWEEN_STEPS = 0.25  # of lines about steps
SAMPLE = 600  # characters of a sample that are shown


class Reporter(Callback):
    """Prints what happens as lines of JSON.

    Args:
        output: where to print.

    >>> Reporter(sys.stdout).on_message("begins")
    {"kind": "message", "text": "begins"}
    """

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._last = 0.0

    def send(self, kind: str, **facts: object) -> None:
        """Print a line."""
        with suppress(OSError, ValueError):  # the studio has ended
            print(json.dumps({"kind": kind, **facts}), file=self._output, flush=True)

    def on_step(self, progress: Progress) -> None:
        """Print the progress, now and then."""
        now = time.monotonic()
        if now - self._last >= SECONDS_BETWEEN_STEPS:
            self._last = now
            self.send("step", **_facts(progress))

    def on_validation(self, progress: Progress, sample: Callable[[], str]) -> None:
        """Print the losses and a sample."""
        self.send("validation", **_facts(progress), sample=sample()[:SAMPLE])

    def on_message(self, message: str) -> None:
        """Print a message."""
        self.send("message", text=message)


def _facts(progress: Progress) -> Json:
    """The progress, without numbers that JSON does not have."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in vars(progress).items()
    }


def run(request: Json, reporter: Reporter) -> None:
    """Train a model and save it.

    Args:
        request: `source`, a file or folder; `output`, the model file; `options` of
            `seqgen.training.train.train`, and `corpus_options` of `load_corpus`.
        reporter: shows what happens.

    Raises:
        SeqgenError: the corpus or an option cannot be used, or the run fails.
    """
    from seqgen.training import train
    from seqgen.training.output import save
    from seqgen.training.request import RunRequest

    path = Path(request["output"])
    asked = RunRequest(request["options"], (request["source"],), request["corpus_options"], path)
    inputs, path = asked.load()
    corpus = inputs.corpus
    reporter.send("token", name=corpus.task)
    for note in (*corpus.messages, summaries.corpus(corpus.metadata(), len(corpus.vocabulary))):
        reporter.on_message(note)
    model = train.run(inputs, reporter)
    save(model, path, reporter.on_message)
    reporter.send("done", file=path.name, score=summaries.score(model.data))


def main() -> None:
    """Train the model that standard input describes."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print does not mix with the lines
    os.environ["SEQGEN_QUIET_TENSORFLOW"] = "1"
    reporter = Reporter(output)
    try:
        with requests_interrupt():
            run(json.load(sys.stdin), reporter)
    except SeqgenError as error:
        reporter.send("error", text=str(error))
    except KeyboardInterrupt:
        reporter.send("error", text="stopped before the first step; nothing was learned")
    except MemoryError:
        reporter.send("error", text="the memory of this machine is not enough; use less data")


if __name__ == "__main__":
    main()

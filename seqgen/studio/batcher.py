"""One thread per model that extends the streams of all requests together."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from seqgen.errors import SeqgenError
from seqgen.model import Model
from seqgen.sampling.running_batch import RunningBatch, Stream

MOST_WAITING = 128  # streams of a model that wait for a place in its batch
SECONDS_BETWEEN_REPORTS = 0.02  # to the requests; every stream adds a millisecond
SECONDS_PER_STREAM = 0.001
CLOSED = "the model was removed or changed, or the studio stops; try again"


class BusyError(SeqgenError):
    """Too many requests wait already."""


@dataclass(eq=False)
class Job:
    """The streams of one request.

    Args:
        streams: they join the batch one by one, as places become free.
        report: called in the thread of the batcher when there are new tokens, and at the end.
    """

    streams: Sequence[Stream]
    report: Callable[[], None]
    error: SeqgenError | None = None  # why the streams ended, if not by themselves
    is_cancelled: bool = False

    @property
    def is_finished(self) -> bool:
        """Whether no stream gets another token."""
        return self.error is not None or all(each.output.is_finished for each in self.streams)


class Batcher:
    """Runs jobs. Threads may share it.

    Args:
        model: whose engine extends the streams.
        most_waiting: streams that may wait.
    """

    def __init__(self, model: Model, most_waiting: int = MOST_WAITING) -> None:
        self._batch = RunningBatch(model.engine)
        self._most_waiting = most_waiting
        self._waiting: deque[Stream] = deque()
        self._job_of: dict[Stream, Job] = {}
        self._jobs: list[Job] = []
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, daemon=True, name="seqgen batcher")
        self._thread.start()

    @property
    def running(self) -> int:
        """The number of streams in the batch."""
        return len(self._batch.streams)

    def require_room(self, count: int) -> None:
        """Raise `BusyError` unless `count` more streams may wait."""
        with self._changed:
            free = self._batch.free + self._most_waiting - len(self._waiting)
        if count > free:
            raise BusyError(
                f"expected fewer requests at a time: {self.running} texts are generated and "
                f"{len(self._waiting)} wait; try again in a moment"
            )

    def submit(self, job: Job) -> None:
        """Let the streams of a job wait for their places.

        Raises:
            BusyError: too many wait already.
        """
        self.require_room(len(job.streams))
        with self._changed:
            if self._is_closed:
                raise BusyError(CLOSED)
            self._jobs.append(job)
            self._job_of.update(dict.fromkeys(job.streams, job))
            self._waiting.extend(job.streams)
            self._changed.notify()

    def cancel(self, job: Job) -> None:
        """Free the places of a job, for example because its client went away."""
        with self._changed:
            job.is_cancelled = True
            self._changed.notify()

    def close(self) -> None:
        """End the thread after its step; unfinished jobs end with an error."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def _work(self) -> None:
        reported = 0.0
        while True:
            with self._changed:
                while not (self._jobs or self._is_closed):
                    self._changed.wait()
                self._update()
                if self._is_closed:
                    break
            # A first character and an end are reported at once, the others now and then.
            urgent = [stream for stream in self._batch.streams if not stream.output.ids]
            try:
                urgent += self._batch.step()
            except SeqgenError as error:
                self._fail(error)
            now = time.monotonic()
            pause = SECONDS_BETWEEN_REPORTS + SECONDS_PER_STREAM * self.running
            if now - reported > pause or not self.running:
                reported = now
                self._report(list(self._jobs))
            elif urgent:
                self._report({self._job_of[stream]: None for stream in urgent})
        self._fail(BusyError(CLOSED))
        self._report(list(self._jobs))

    def _update(self) -> None:
        """Let streams of cancelled jobs leave, and those that wait join."""
        gone = [job for job in self._jobs if job.is_cancelled]
        if gone:
            self._batch.remove([stream for job in gone for stream in job.streams])
            self._forget(gone)
            streams = (each for each in self._waiting if each in self._job_of)
            self._waiting = deque(streams)
        joining = [
            self._waiting.popleft() for _ in range(min(self._batch.free, len(self._waiting)))
        ]
        self._batch.add(joining)

    def _forget(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._jobs.remove(job)
            for stream in job.streams:
                del self._job_of[stream]

    def _fail(self, error: SeqgenError) -> None:
        with self._changed:
            for job in self._jobs:
                job.error = error
            self._waiting.clear()
        self._batch.remove(list(self._batch.streams))

    def _report(self, jobs: Collection[Job]) -> None:
        finished = [job for job in jobs if job.is_finished]
        with self._changed:
            self._forget(finished)
        for job in jobs:
            job.report()

"""The training loop: steps, validations and checkpoints until the run's length is reached.

Truncated back-propagation through time (Williams and Peng 1990): every stream of a batch reads the
corpus window by window, the recurrent state continues from one window to the next, and gradients
flow inside a window.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from seqgen.errors import TrainingError
from seqgen.tasks import base as tasks
from seqgen.training import cost_cache, distributed
from seqgen.training.auto_config import SCORING, millions, weights
from seqgen.training.callbacks import Callback
from seqgen.training.checkpointer import Checkpointer
from seqgen.training.regularisation import Regularisation
from seqgen.training.schedule import learning_rate_share
from seqgen.training.setup import RunSetup
from seqgen.training.state import HistoryEntry, RunState
from seqgen.training.step import StepPlan
from seqgen.types import Floats, Json
from seqgen.utils.sigint import INTERRUPTIONS, interruption

# How often the memory of a memory-mapped corpus is released. A step on short pieces maps 26 MB.
STEPS_PER_RELEASE = 4
MOST_SECONDS = 3.0  # of a validation after a request to end
SECONDS_TO_TELL = 10.0  # of training, after which its speed corrects the cached costs

WriteSample = Callable[[list[Floats]], str]  # weights in Keras's order → a sample as text


@dataclass(frozen=True)
class Result:
    """The result of a run."""

    weights: list[Floats]  # the best ones, in Keras's order
    history: list[HistoryEntry]  # an entry for every validation
    scores: Json


def train(
    setup: RunSetup, callback: Callback | None = None, write_sample: WriteSample = lambda _: ""
) -> Result:
    """Train a network.

    A run that ends early, because of Ctrl-C, of SIGTERM or SIGHUP inside
    `seqgen.utils.sigint.requests_interrupt`, or of a loss that diverges, gives the best weights so
    far; `scores["ended_early"]` says why it ended.

    Args:
        setup: the run.
        callback: called after every step and every validation.
        write_sample: generates a sample with given weights, for the callback to show.

    Raises:
        CorpusError: the training part is smaller than one batch.
        ConfigError: the recurrent layer does not have an option that is set.
        CheckpointError: the checkpoint to resume belongs to another run.
        TrainingError: the loss diverged before any validation.
        WorkerError: another machine of the run can no longer be reached.
        KeyboardInterrupt: Ctrl-C was pressed before the first step.

    >>> import numpy as np
    >>> from seqgen.config import ModelConfig, TrainConfig
    >>> from seqgen.corpus.corpus import Corpus
    >>> from seqgen.vocabulary import Vocabulary
    >>> corpus = Corpus("ab", "text", Vocabulary(("a", "b")), np.arange(500) % 2)
    >>> config = TrainConfig(epochs=8, batch_size=4, window=8)
    >>> train(RunSetup(corpus, ModelConfig(units=8), config)).scores["validation_loss"] < 0.5
    True
    """
    with distributed.translate_worker_errors():
        return TrainingLoop(setup, callback or Callback(), write_sample).run()


class TrainingLoop:
    """Runs one `RunSetup`; arguments as for `train`."""

    def __init__(
        self, setup: RunSetup, callback: Callback, write_sample: WriteSample = lambda _: ""
    ) -> None:
        self.setup = setup
        self.callback = callback
        self.write_sample = write_sample
        self.state = RunState(setup)
        self.checkpointer = Checkpointer(setup, callback)
        if setup.resumed:
            self.checkpointer.restore(self.state)

    def run(self) -> Result:
        """Run to the end, or until the run ends early, and score the best weights."""
        if not self.setup.resumed:
            self.checkpointer.put_aside()
        ended_early = None
        try:
            self._take_steps()
        except KeyboardInterrupt as error:
            if self.state.step == 0:
                raise
            ended_early = interruption(error)
        except TrainingError as error:
            best = self.state.best_weights
            loss = best.best[0] if best.best else 0.0
            if not best.has_any or self.state.training_loss.has_diverged(loss):
                raise
            return self._result(str(error))
        with suppress(KeyboardInterrupt):  # a second Ctrl-C skips the last validation
            if ended_early:
                self.checkpointer.save(self.state)
            self._correct_costs()
            if not ended_early or self._seconds_of_validation() <= MOST_SECONDS:
                self._validate()
        result = self._result(ended_early)
        schedule = self.state.schedule
        if schedule.is_overrun:
            self.callback.on_message(
                f"the run took {schedule.elapsed:.0f} s instead of {schedule.seconds:.0f} s, "
                "because starting and scoring alone took longer"
            )
        return result

    def _seconds_of_validation(self) -> float:
        """About how long a validation will take."""
        best, progress = self.state.best_weights, self.state.progress()
        return best.seconds_of_validation(progress.tokens_per_second)

    def _take_steps(self) -> None:
        state = self.state
        self._measure()
        if state.step == 0:
            state.schedule.start_steps()
        # A resumed run may have been interrupted just before a validation.
        if distributed.broadcast_from_chief(state.best_weights.is_due(state.step)):
            self._validate()
        fraction = state.schedule.fraction(state.step)
        while fraction < 1 or state.step == 0:
            plan = self._step(self._plan())
            fraction = plan.fraction
            if state.step % STEPS_PER_RELEASE == 0:
                self.setup.corpus.release_memory()
            if plan.validate and fraction < 1:  # the last validation follows the loop
                self._validate()
                self._correct_regularisation()
            if plan.save:
                self.checkpointer.save(state)

    def _measure(self) -> None:
        """Decide how many tokens a validation scores, and tell the user if these are not all."""
        best = self.state.best_weights
        if not best.scored_tokens:
            best.measure()
        if best.validation and best.scored_tokens < best.validation.tokens:
            token = tasks.get(self.setup.corpus.task).token_name
            self.callback.on_message(
                f"during training, validation losses are on {best.scored_tokens:,} of "
                f"{best.validation.tokens:,} held-out {token}s"
            )

    def _plan(self) -> StepPlan:
        """Plan the next step.

        The last step is the one whose end is nearest to the end of the run.
        """
        state = self.state
        share = learning_rate_share(state.schedule.fraction(state.step))
        return StepPlan(
            learning_rate=self.setup.train_config.learning_rate * share,
            fraction=state.schedule.fraction(state.step + 1, ahead=1.5 * state.seconds_per_step),
            validate=state.best_weights.is_due(state.step + 1),
            save=self.checkpointer.is_due,
        )

    def _step(self, plan: StepPlan) -> StepPlan:
        if plan.save:
            self.state.best_weights.store_finite()
        plan = self.state.advance(plan)
        self.callback.on_step(self.state.progress())
        return plan

    def _validate(self) -> None:
        state = self.state
        if state.best_weights.validation:
            state.validate()
            self.callback.on_validation(
                state.progress(), lambda: self.write_sample(state.network.get_weights())
            )

    def _correct_regularisation(self) -> None:
        """Let dropout and weight decay follow the number of tokens that the run will see."""
        setup, step, progress = self.setup, self.state.train_step, self.state.progress()
        fixed = setup.fixed | step.absent
        if setup.train_config.minutes is None or fixed.issuperset(Regularisation._fields):
            return
        size = weights(setup.model_config, len(setup.corpus.vocabulary))
        seen = progress.tokens_seen / progress.fraction
        suitable = Regularisation.of_run(size, setup.corpus.training_length, seen)
        corrected = Regularisation(
            *distributed.broadcast_from_chief(step.regularisation.corrected(suitable, fixed))
        )
        if corrected != step.regularisation:
            step.regularisation = corrected
            rates = ", ".join(
                f"{name.replace('_', ' ')} {rate:g}" for name, rate in corrected._asdict().items()
            )
            self.callback.on_message(f"the run will see about {millions(seen)} tokens: {rates}")

    def _correct_costs(self) -> None:
        """Let the next run know how fast this one was, if it was long enough to tell."""
        setup, progress = self.setup, self.state.progress()
        if setup.cost_key and progress.seconds - self.state.schedule.stepping >= SECONDS_TO_TELL:
            size = len(setup.corpus.vocabulary)
            speed = progress.tokens_per_second / (1 - SCORING)  # of steps, without validations
            cost_cache.correct(setup.cost_key, setup.model_config, size, speed)

    def _result(self, ended_early: str | None) -> Result:
        state, best = self.state, self.state.best_weights
        weights = best.result(diverged=ended_early not in (None, *INTERRUPTIONS))
        score = best.final_score(state.step, thorough=ended_early is None)
        loss, scored_tokens = score or (None, 0)
        scores: Json = {
            "parameters": int(sum(array.size for array in weights)),
            "steps": state.step,
            "tokens_seen": state.step * state.tokens_per_step,
            "seconds": round(state.schedule.elapsed, 2),
            "ended_early": ended_early,
            "training_loss": state.training_loss.value,
            "validation_loss": loss,
            "validation_tokens": scored_tokens,
            "bits_per_token": None if loss is None else loss / math.log(2),
        }
        scores |= best.details() | self._unit_score(scores["bits_per_token"])
        return Result(weights, state.history, scores)

    def _unit_score(self, bits_per_token: float | None) -> dict[str, float]:
        """The loss per main unit of the task, such as a note, if it has one."""
        corpus = self.setup.corpus
        if bits_per_token is None:
            return {}
        units = tasks.get(corpus.task).score_units(
            corpus.metadata(), corpus.vocabulary, corpus.validation_ids
        )
        if not units:
            return {}
        unit, count = next(iter(units.items()))  # the first is the main one
        return {f"bits_per_{unit}": bits_per_token * len(corpus.validation_ids) / max(count, 1)}

"""Network + corpus + `TrainConfig` → weights and history.

Truncated back-propagation through time (Williams and Peng 1990): streams read the corpus window
by window, the state is carried from one window to the next, gradients flow inside a window.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.errors import OutputError, TrainingError
from seqgen.network.backend import tf
from seqgen.network.build import build, initial_state, require_fast_layers
from seqgen.network.sharding import divide_threads
from seqgen.training import checkpoint, cluster, distributed
from seqgen.training.batches import training_batches
from seqgen.training.best_weights import BestWeights, are_finite
from seqgen.training.callbacks import Callback, Progress
from seqgen.training.checkpoint import Arrays
from seqgen.training.running_loss import TrainingLoss
from seqgen.training.schedule import Schedule, learning_rate_share
from seqgen.training.step import StepPlan, TrainStep
from seqgen.training.validation import Validation
from seqgen.types import Floats
from seqgen.utils.sigint import defer_sigint

SECONDS_TO_CHECKPOINT = 60.0
STEPS_PER_RELEASE = 4  # of a mapped corpus's memory: short pieces take 26 MB a step


@dataclass
class Result:
    """A finished run."""

    weights: list[Floats]  # the best ones, in Keras's order
    history: list[dict[str, float | None]] = field(default_factory=list)
    scores: dict[str, Any] = field(default_factory=dict)
    chosen: str = ""  # what was chosen for the run, and why


def train(
    corpus: Corpus,
    model_config: ModelConfig,
    config: TrainConfig,
    callback: Callback | None = None,
    *,
    started: float | None = None,
    initial_weights: list[Floats] | None = None,
    checkpoint_path: Path | None = None,
    resume: tuple[dict[str, Any], Arrays] | None = None,
    base: str = "",
    chosen: str = "",
    write_sample: Callable[[list[Floats]], str] = lambda weights: "",
) -> Result:
    """Train a network.

    A run that ends early, by Ctrl-C or because the loss explodes, gives the best weights that it
    had; `scores["ended_early"]` says why.

    Args:
        corpus: what it learns, and is scored on.
        model_config: what it is made of.
        config: how long and how.
        callback: told of every step and validation.
        started: `time.monotonic()` when the run began, if that was before this call.
        initial_weights: to begin with, in Keras's order, instead of random ones.
        checkpoint_path: where a checkpoint is kept, one a minute, for a run that is interrupted.
        resume: the facts and arrays of a checkpoint to go on from.
        base: tells which model the initial weights are of.
        chosen: what was chosen for the run, and why: kept for the record.
        write_sample: weights → text, for the callback to show.

    Raises:
        CorpusError: the training part is smaller than one batch.
        ConfigError: the layer does not take its options.
        CheckpointError: the checkpoint belongs to another run.
        TrainingError: the loss exploded before there was anything to keep.
        WorkerError: another machine of the run is gone.
        KeyboardInterrupt: before the first step.

    >>> import numpy as np
    >>> from seqgen.vocabulary import Vocabulary
    >>> corpus = Corpus("ab", "text", Vocabulary(("a", "b")), np.arange(500) % 2)
    >>> result = train(corpus, ModelConfig(units=8), TrainConfig(epochs=8, batch_size=4, window=8))
    >>> result.scores["validation_loss"] < 0.5
    True
    """
    with distributed.translate_worker_errors():
        run = _Run(
            corpus,
            model_config,
            config,
            callback or Callback(),
            started,
            checkpoint_path,
            base=base,
            chosen=chosen,
            write_sample=write_sample,
        )
        if not resume:
            run.put_checkpoint_aside()
        if initial_weights:
            run.network.set_weights(initial_weights)
        if resume:
            run.resume(*resume)
        return run.finish()


class _Run:
    """One run of `train`: a network, where its streams are, and how far it is."""

    def __init__(
        self,
        corpus: Corpus,
        model_config: ModelConfig,
        config: TrainConfig,
        callback: Callback,
        started: float | None = None,
        checkpoint_path: Path | None = None,
        *,
        base: str = "",
        chosen: str = "",
        write_sample: Callable[[list[Floats]], str] = lambda weights: "",
    ) -> None:
        self.corpus = corpus
        self.model_config = model_config
        self.config = config
        self.callback = callback
        self.checkpoint_path = checkpoint_path
        self.write_sample = write_sample
        self.batches = training_batches(corpus, config.batch_size, config.window, config.seed)
        self.tokens_per_step = config.batch_size * config.window
        self.schedule = Schedule.of_run(config, corpus.training_length, started)
        divide_threads(config.batch_size)
        require_fast_layers(model_config, config)
        with distributed.strategy_for(config.batch_size).scope():
            self.network = build(model_config, len(corpus.vocabulary), config.seed)
            self.train_step = TrainStep(self.network, config)
        self.state = initial_state(self.network, config.batch_size)
        self.best_weights = BestWeights(
            self.network,
            Validation(self.network, corpus.ids, corpus.training_length)
            if len(corpus.validation_ids)
            else None,
            self.schedule,
            self.tokens_per_step,
            corpus.training_length,
        )
        self.chosen = chosen
        self.base = base  # tells which model's weights the run started from, if any
        self.step = 0
        self.checkpointed = time.monotonic()
        self.seconds_per_step = 0.0  # the last one's, but for the first
        self.training_loss = TrainingLoss(len(corpus.vocabulary))
        self.history: list[dict[str, float | None]] = []

    def _facts(self) -> dict[str, Any]:
        """What a run must share with the one whose checkpoint it resumes."""
        facts = self.corpus.metadata()
        del facts["arguments"]  # the same corpus may be named otherwise
        return {
            "model_config": self.model_config.to_json(),
            "train_config": self.config.to_json(),
            "corpus_options": {**facts.pop("options"), **facts.pop("split")},
            "corpus": {**facts, "vocabulary": self.corpus.vocabulary.to_json()},
        }

    def put_checkpoint_aside(self) -> None:
        """Keep one that another run left where this one's will be."""
        if self.checkpoint_path is None or not cluster.is_chief():
            return
        if kept := checkpoint.put_aside(self.checkpoint_path):
            self.callback.on_message(
                f"a run that broke off left {self.checkpoint_path}, which --resume would go on "
                f"with; it is kept as {kept}"
            )

    def save_checkpoint(self) -> None:
        """Write all that `resume` needs; a disk that is full does not end the run."""
        if self.checkpoint_path is None or not cluster.is_chief():
            return
        if not are_finite(self.network.get_weights()):
            return
        best = self.best_weights.best
        arrays = {
            "variables": [each.numpy() for each in self.train_step.variables],
            "state": [each.numpy() for each in self.state],
            "best": best[1] if best else [],
        }
        place = {
            "step": self.step,
            "training_loss": self.training_loss.value,
            "history": self.history,
            "chosen": self.chosen,
            "base": self.base,
            "schedule": self.schedule.state_dict(),
            "batches": self.batches.state_dict(),
            "best_weights": self.best_weights.state_dict(),
        }
        try:
            checkpoint.save(self.checkpoint_path, {**self._facts(), "place": place}, arrays)
        except OutputError as error:
            self.callback.on_message(f"no checkpoint: {error}")
        self.checkpointed = time.monotonic()

    def resume(self, saved: dict[str, Any], arrays: Arrays) -> None:
        """Go on from the facts and arrays of a checkpoint.

        Raises:
            CheckpointError: it is damaged, or belongs to another run; what differs is named.
        """
        assert self.checkpoint_path is not None
        with checkpoint.damage_named(self.checkpoint_path):
            checkpoint.require_same(self.checkpoint_path, saved, self._facts())
            self._go_to(saved["place"], arrays)

    def _go_to(self, place: dict[str, Any], arrays: Arrays) -> None:
        for variable, value in zip(self.train_step.variables, arrays["variables"], strict=True):
            variable.assign(value)
        self.state = [tf.constant(each) for each in arrays["state"]]
        self.step, self.history = place["step"], place["history"]
        self.training_loss.value, self.chosen = place["training_loss"], place["chosen"]
        self.base = place["base"]
        self.schedule.load_state_dict(place["schedule"])
        self.batches.load_state_dict(place["batches"])
        self.best_weights.load_state_dict(place["best_weights"], arrays.get("best", []))

    def finish(self) -> Result:
        """Run to the end, or as far as it gets, and score the best weights."""
        ended_early = None
        try:
            self._loop()
        except KeyboardInterrupt:
            if self.step == 0:
                raise
            ended_early = "Ctrl-C"
        except TrainingError as error:
            loss = self.best_weights.best[0] if self.best_weights.best else 0.0
            if not self.best_weights.has_any or self.training_loss.has_exploded(loss):
                raise
            return self._result(str(error))
        with suppress(KeyboardInterrupt):  # whoever presses it again will not wait for this
            if ended_early:
                self.save_checkpoint()
            self._validate()
        result = self._result(ended_early)
        if self.schedule.is_overrun:
            self.callback.on_message(
                f"the run took {self.schedule.elapsed:.0f} s, not {self.schedule.seconds:.0f}: "
                "starting and scoring alone took that long"
            )
        return result

    def _result(self, ended_early: str | None) -> Result:
        weights = self.best_weights.result(sound=ended_early in (None, "Ctrl-C"))
        score = self.best_weights.final_score(self.step, thorough=ended_early is None)
        loss, scored = score or (None, 0)
        scores: dict[str, Any] = {
            "parameters": int(sum(each.size for each in weights)),
            "steps": self.step,
            "tokens_seen": self.step * self.tokens_per_step,
            "seconds": round(self.schedule.elapsed, 2),
            "ended_early": ended_early,
            "training_loss": self.training_loss.value,
            "validation_loss": loss,
            "validation_tokens": scored,
            "bits_per_token": None if loss is None else loss / math.log(2),
        }
        if per_token := self.corpus.details.get("notes_per_validation_token"):
            bits = scores["bits_per_token"]
            scores["bits_per_note"] = None if bits is None else bits / per_token
        return Result(weights, self.history, scores, self.chosen)

    def _loop(self) -> None:
        if not self.best_weights.scored_tokens:
            self.best_weights.measure()
        if self.step == 0:
            self.schedule.stepping = self.schedule.elapsed
        if distributed.broadcast_from_chief(
            self.best_weights.is_due(self.step)
        ):  # Ctrl-C came before it
            self._validate()
        fraction = self.schedule.fraction(self.step)
        while fraction < 1 or self.step == 0:
            plan = self._one_step(self._plan())
            fraction = plan.fraction
            if self.step % STEPS_PER_RELEASE == 0:
                self.corpus.release_memory()
            if plan.validate and fraction < 1:  # the last one follows anyway
                self._validate()
            if plan.save:
                self.save_checkpoint()

    def _plan(self) -> StepPlan:
        """What there is to do in the next step, and after it.

        The last one ends half a step before the run's end, or half a step after it at most."""
        share = learning_rate_share(self.schedule.fraction(self.step))
        return StepPlan(
            self.config.learning_rate * share,
            self.schedule.fraction(self.step + 1, ahead=1.5 * self.seconds_per_step),
            self.best_weights.is_due(self.step + 1),
            time.monotonic() - self.checkpointed >= SECONDS_TO_CHECKPOINT,
        )

    def _one_step(self, plan: StepPlan) -> StepPlan:
        """Ctrl-C waits for its end: half a step is in no checkpoint."""
        if plan.save:
            self.best_weights.keep_sound()
        with defer_sigint():
            began = self.schedule.elapsed
            batch = next(self.batches)
            loss, self.state, plan = self.train_step(batch, self.state, plan, self.step)
            self.step += 1
            self.training_loss.update(loss, self.step)
            if self.step == 1:  # it compiles
                self.schedule.stepping = self.schedule.elapsed
            else:
                self.seconds_per_step = self.schedule.elapsed - began
        self.callback.on_step(self._progress())
        return plan

    def _validate(self) -> None:
        if self.best_weights.validation is None:
            return
        self.best_weights.validate(self.step)
        progress = self._progress()
        self.history.append(
            {
                "step": progress.step,
                "tokens_seen": progress.tokens_seen,
                "seconds": round(progress.seconds, 2),
                "training_loss": progress.training_loss,
                "validation_loss": progress.validation_loss,
            }
        )
        self.callback.on_validation(progress, lambda: self.write_sample(self.network.get_weights()))

    def _progress(self) -> Progress:
        elapsed = self.schedule.elapsed
        stepping = elapsed - self.schedule.stepping
        speed = (self.step - 1) * self.tokens_per_step / stepping if self.step > 1 else 0.0
        return Progress(
            self.schedule.fraction(self.step),
            self.step,
            self.step * self.tokens_per_step,
            elapsed,
            self.schedule.seconds_left(self.step),
            speed,
            self.training_loss.value,
            self.best_weights.loss,
        )

"""Network + corpus + `TrainConfig` → weights and history.

Truncated back-propagation through time (Williams and Peng 1990): streams read the corpus window
by window, the state is carried from one window to the next, gradients flow inside a window.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from seqgen.backend import keras, tf
from seqgen.batches import Batch, training_batches
from seqgen.callback import Callback, Progress
from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus import Corpus
from seqgen.errors import TrainingError
from seqgen.network import build, forward, initial_state
from seqgen.runtime import Floats
from seqgen.schedule import Schedule, learning_rate_share
from seqgen.validation import STREAMS, WINDOW, Validation

VALIDATIONS = 10  # in a run, at least
MOST_VALIDATIONS = 100  # in a run of many epochs
REST = 50  # times as long as a validation took is the least until the next one of its epoch
VALIDATION_SHARE = 0.01  # of a run's time that one of them may take, before the last
LAST_VALIDATION_SHARE = 0.05
SMOOTHING = 0.98  # of the training loss that is shown, per step
SECONDS_TO_SAVE = 1.0


@dataclass
class Result:
    """A finished run."""

    weights: list[Floats]  # the best ones, in Keras's order
    history: list[dict[str, float | None]] = field(default_factory=list)
    scores: dict[str, Any] = field(default_factory=dict)


def train(
    corpus: Corpus,
    model_config: ModelConfig,
    config: TrainConfig,
    callback: Callback | None = None,
    started: float | None = None,
) -> Result:
    """Train a new network.

    Args:
        corpus: what it learns, and is scored on.
        model_config: what it is made of.
        config: how long and how.
        callback: told of every step and validation.
        started: `time.monotonic()` when the run began, if that was before this call.

    Raises:
        CorpusError: the training part is smaller than one batch.
        ConfigError: the layer has no such option.
        TrainingError: the loss is no longer a number.
        KeyboardInterrupt: before the first step; later ones end the run as its length would.

    >>> import numpy as np
    >>> from seqgen.vocabulary import Vocabulary
    >>> corpus = Corpus("ab", "text", Vocabulary(("a", "b")), np.arange(500) % 2)
    >>> result = train(corpus, ModelConfig(units=8), TrainConfig(epochs=8, batch_size=4, window=8))
    >>> result.scores["validation_loss"] < 0.5
    True
    """
    return _Run(corpus, model_config, config, callback or Callback(), started).finish()


class _Run:
    def __init__(
        self,
        corpus: Corpus,
        model_config: ModelConfig,
        config: TrainConfig,
        callback: Callback,
        started: float | None,
    ) -> None:
        self.config = config
        self.callback = callback
        self.batches = training_batches(corpus, config.batch_size, config.window, config.seed)
        self.tokens_per_step = config.batch_size * config.window
        self.schedule = _schedule(config, corpus.training_length, started)
        self.network = build(model_config, len(corpus.vocabulary), config.seed)
        self.optimizer = keras.optimizers.Adam(
            config.learning_rate, beta_2=0.99, global_clipnorm=config.clip_norm
        )
        self.validation: Validation | None = None
        if len(corpus.validation_ids):
            self.validation = Validation(self.network, corpus.ids, corpus.training_length)
        self.state = initial_state(self.network, config.batch_size)
        self.compiled_step = tf.function(self._train_step)
        self.steps_per_epoch = corpus.training_length / self.tokens_per_step
        self.step = 0
        self.training_loss = math.nan
        self.validation_loss: float | None = None
        self.validation_seconds = 0.0  # that the last one took
        self.probe_tokens = 0  # of the validation part, scored while the run goes on
        self.best: tuple[float, list[Floats]] | None = None
        self.history: list[dict[str, float | None]] = []
        self.validated = self._progress()  # at the last validation

    def _train_step(self, inputs: Any, targets: Any, carry: Any, state: Any) -> Any:
        state = [each * carry[:, None] for each in state]
        with tf.GradientTape() as tape:
            logits, state = forward(self.network, inputs, state, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_mean(losses)
            total = tf.add_n([loss, *self.network.losses])  # the layers' own regularisers
        variables = self.network.trainable_variables
        self.optimizer.apply(tape.gradient(total, variables), variables)
        return loss, state

    def finish(self) -> Result:
        """Run to the end, or to Ctrl-C, and score."""
        interrupted = False
        try:
            self._loop()
        except KeyboardInterrupt:
            if self.step == 0:
                raise
            interrupted = True
        weights, validation_loss, scored = self._best_weights(interrupted)
        scores = {
            "parameters": int(sum(each.size for each in weights)),
            "steps": self.step,
            "tokens_seen": self.step * self.tokens_per_step,
            "seconds": round(self.schedule.elapsed, 2),
            "interrupted": interrupted,
            "training_loss": self.training_loss,
            "validation_loss": validation_loss,
            "validation_tokens": scored,
            "bits_per_token": None if validation_loss is None else validation_loss / math.log(2),
        }
        return Result(weights, self.history, scores)

    def _best_weights(self, interrupted: bool) -> tuple[list[Floats], float | None, int]:
        """The best weights, their validation loss, and over how many tokens it was taken."""
        if self.validation is None:
            return self.network.get_weights(), None, 0
        with suppress(KeyboardInterrupt):  # whoever presses Ctrl-C again will not wait for this
            self._validate()
        if self.best is None:
            return self.network.get_weights(), None, 0
        loss, weights = self.best
        scored = self.probe_tokens
        last = self._affordable_tokens(LAST_VALIDATION_SHARE)
        if last > scored and not interrupted:
            self.network.set_weights(weights)
            loss, scored = self.validation.loss(last), last
        return weights, loss, scored

    def _loop(self) -> None:
        while (fraction := self.schedule.fraction(self.step)) < 1 or self.step == 0:
            self._one_step(next(self.batches), fraction)
            if self._validation_is_due():
                self._validate()

    def _validation_is_due(self) -> bool:
        """Ten times in a run, and after every epoch, so that a small corpus that is soon learned
        by heart is caught while the network still gets better."""
        fraction = self.schedule.fraction(self.step)
        if fraction == 1 or self.validation is None:
            return False  # the last one follows anyway
        if self.schedule.steps is not None:  # the clock must not decide what a seed gives
            validations = min(max(int(self.config.epochs or 0), VALIDATIONS), MOST_VALIDATIONS)
            return fraction >= self.validated.fraction + 1 / validations
        if math.floor(fraction * VALIDATIONS) > math.floor(self.validated.fraction * VALIDATIONS):
            return True
        rested = self.schedule.elapsed - self.validated.seconds >= REST * self.validation_seconds
        return rested and self.step - self.validated.step >= self.steps_per_epoch

    def _one_step(self, batch: Batch, fraction: float) -> None:
        self.optimizer.learning_rate.assign(
            self.config.learning_rate * learning_rate_share(fraction)
        )
        loss, self.state = self.compiled_step(*batch, self.state)
        value = float(loss)
        if not math.isfinite(value):
            raise TrainingError(
                f"the training loss is {value} after {self.step + 1} steps; "
                "choose a lower learning rate or another activation"
            )
        self.step += 1
        if self.step == 1:
            self.training_loss, self.schedule.stepping = value, self.schedule.elapsed
        share = min(SMOOTHING, 1 - 1 / self.step)  # a plain mean to begin with
        self.training_loss = share * self.training_loss + (1 - share) * value
        self.callback.on_step(self._progress())

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
            self.training_loss,
            self.validation_loss,
        )

    def _validate(self) -> None:
        if self.validation is None:
            return
        if not self.probe_tokens:
            self._measure_validation()
        began = self.schedule.elapsed
        self.validation_loss = self.validation.loss(self.probe_tokens)
        self.validation_seconds = self.schedule.elapsed - began
        if self.best is None or self.validation_loss < self.best[0]:
            self.best = (self.validation_loss, self.network.get_weights())
        self.validated = progress = self._progress()
        self.history.append(
            {
                "step": progress.step,
                "tokens_seen": progress.tokens_seen,
                "seconds": round(progress.seconds, 2),
                "training_loss": progress.training_loss,
                "validation_loss": progress.validation_loss,
            }
        )
        self.callback.on_validation(progress)

    def _measure_validation(self) -> None:
        """Decide, once, how much of the validation part each validation scores."""
        assert self.validation is not None
        if self.schedule.seconds is not None:
            self.validation.loss(1)  # compiles, so that the second call measures
            self.validation.loss(STREAMS * WINDOW)
        self.probe_tokens = self._affordable_tokens(VALIDATION_SHARE)
        if self.schedule.seconds is not None:
            last = self._affordable_tokens(LAST_VALIDATION_SHARE)
            scored = self.probe_tokens + (last if last > self.probe_tokens else 0)
            self.schedule.reserved += scored / self.validation.tokens_per_second

    def _affordable_tokens(self, share: float) -> int:
        """How many validation tokens can be scored in that share of the run."""
        assert self.validation is not None
        if self.schedule.seconds is not None:
            affordable = share * self.schedule.seconds * self.validation.tokens_per_second
        elif share == LAST_VALIDATION_SHARE:
            affordable = math.inf  # who counts epochs has the time
        else:
            assert self.schedule.steps is not None
            # A token costs about a third of what it costs in training.
            affordable = 3 * share * self.schedule.steps * self.tokens_per_step
        return int(min(self.validation.tokens, max(affordable, STREAMS * WINDOW)))


def _schedule(config: TrainConfig, tokens: int, started: float | None) -> Schedule:
    began = time.monotonic() if started is None else started
    if config.minutes is not None:
        return Schedule(60 * config.minutes, started=began, reserved=SECONDS_TO_SAVE)
    assert config.epochs is not None
    steps = math.ceil(config.epochs * tokens / (config.batch_size * config.window))
    return Schedule(steps=steps, started=began)

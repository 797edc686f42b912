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
from seqgen.best_weights import BestWeights
from seqgen.callback import Callback, Progress
from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus import Corpus
from seqgen.errors import TrainingError
from seqgen.network import build, forward, initial_state
from seqgen.runtime import Floats
from seqgen.schedule import Schedule, learning_rate_share
from seqgen.sharding import cut, divide_threads, join, shard_count
from seqgen.validation import Validation

SMOOTHING = 0.98  # of the training loss that is shown, per step
SECONDS_TO_SAVE = 1.0
STEPS_PER_RELEASE = 4  # of a mapped corpus's memory: short pieces take 26 MB a step


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

    A run that ends early, by Ctrl-C or because the loss is no longer a number, gives the best
    weights that it had; `scores["ended_early"]` says why.

    Args:
        corpus: what it learns, and is scored on.
        model_config: what it is made of.
        config: how long and how.
        callback: told of every step and validation.
        started: `time.monotonic()` when the run began, if that was before this call.

    Raises:
        CorpusError: the training part is smaller than one batch.
        ConfigError: the layer does not take its options.
        TrainingError: the loss was no number before there was anything to keep.
        KeyboardInterrupt: before the first step.

    >>> import numpy as np
    >>> from seqgen.vocabulary import Vocabulary
    >>> corpus = Corpus("ab", "text", Vocabulary(("a", "b")), np.arange(500) % 2)
    >>> result = train(corpus, ModelConfig(units=8), TrainConfig(epochs=8, batch_size=4, window=8))
    >>> result.scores["validation_loss"] < 0.5
    True
    """
    return _Run(corpus, model_config, config, callback or Callback(), started).finish()


class _Run:
    """One run of `train`: a network, where its streams are, and how far it is."""

    def __init__(
        self,
        corpus: Corpus,
        model_config: ModelConfig,
        config: TrainConfig,
        callback: Callback,
        started: float | None,
    ) -> None:
        self.corpus = corpus
        self.config = config
        self.callback = callback
        self.batches = training_batches(corpus, config.batch_size, config.window, config.seed)
        self.tokens_per_step = config.batch_size * config.window
        self.schedule = _schedule(config, corpus.training_length, started)
        divide_threads(config.batch_size)
        self.network = build(model_config, len(corpus.vocabulary), config.seed)
        self.optimizer = keras.optimizers.Adam(
            config.learning_rate, beta_2=0.99, global_clipnorm=config.clip_norm
        )
        self.state = initial_state(self.network, config.batch_size)
        self.compiled_step = tf.function(self._train_step)
        self.best_weights = BestWeights(
            self.network,
            Validation(self.network, corpus.ids, corpus.training_length)
            if len(corpus.validation_ids)
            else None,
            self.schedule,
            self.tokens_per_step,
            corpus.training_length,
        )
        self.step = 0
        self.training_loss = math.nan
        self.history: list[dict[str, float | None]] = []

    def _train_step(self, inputs: Any, targets: Any, carry: Any, state: Any) -> Any:
        """One `Batch` and the state `(B, units)` of every layer → its loss and the next state."""
        state = [each * carry[:, None] for each in state]
        count = shard_count(self.config.batch_size)
        results = [self._shard(*shard) for shard in cut(count, inputs, targets, state)]
        losses, states, gradients = zip(*results, strict=True)
        mean = [tf.add_n(each) / count for each in zip(*gradients, strict=True)]
        self.optimizer.apply(mean, self.network.trainable_variables)
        return tf.add_n(losses) / count, join(list(states))

    def _shard(self, inputs: Any, targets: Any, state: Any) -> Any:
        """Some streams' loss, their next state, and the gradients."""
        with tf.GradientTape() as tape:
            logits, state = forward(self.network, inputs, state, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_mean(losses)
            total = tf.add_n([loss, *self.network.losses])  # the layers' own regularisers
        gradients = tape.gradient(total, self.network.trainable_variables)
        return loss, state, [tf.convert_to_tensor(each) for each in gradients]

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
            if self.best_weights.best is None:
                raise
            return self._result(str(error))
        with suppress(KeyboardInterrupt):  # whoever presses it again will not wait for this
            self._validate()
        return self._result(ended_early)

    def _result(self, ended_early: str | None) -> Result:
        best = self.best_weights.best
        weights = best[1] if best else self.network.get_weights()
        score = self.best_weights.final_score(self.step, thorough=ended_early is None)
        loss, scored = score or (None, 0)
        scores = {
            "parameters": int(sum(each.size for each in weights)),
            "steps": self.step,
            "tokens_seen": self.step * self.tokens_per_step,
            "seconds": round(self.schedule.elapsed, 2),
            "ended_early": ended_early,
            "training_loss": self.training_loss,
            "validation_loss": loss,
            "validation_tokens": scored,
            "bits_per_token": None if loss is None else loss / math.log(2),
        }
        return Result(weights, self.history, scores)

    def _loop(self) -> None:
        while (fraction := self.schedule.fraction(self.step)) < 1 or self.step == 0:
            self._one_step(next(self.batches), fraction)
            if self.step % STEPS_PER_RELEASE == 0:
                self.corpus.release_memory()
            if self.best_weights.is_due(self.step):
                self._validate()

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
        self.callback.on_validation(progress)

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
            self.best_weights.loss,
        )


def _schedule(config: TrainConfig, tokens: int, started: float | None) -> Schedule:
    began = time.monotonic() if started is None else started
    if config.minutes is not None:
        return Schedule(60 * config.minutes, started=began, reserved=SECONDS_TO_SAVE)
    assert config.epochs is not None
    steps = math.ceil(config.epochs * tokens / (config.batch_size * config.window))
    return Schedule(steps=steps, started=began)

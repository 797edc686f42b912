"""The state of a training run: everything that steps and validations change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from seqgen.network import fast_layers
from seqgen.network.backend import tf
from seqgen.network.build import build
from seqgen.network.sharding import divide_threads
from seqgen.training import distributed, mixing
from seqgen.training.best_weights import BestWeights, are_finite
from seqgen.training.callbacks import Progress
from seqgen.training.checkpoint import Arrays
from seqgen.training.objectives import objective_of
from seqgen.training.regularisation import Regularisation
from seqgen.training.running_loss import TrainingLoss
from seqgen.training.schedule import Schedule
from seqgen.training.setup import RunSetup
from seqgen.training.step import StepPlan, TrainStep
from seqgen.types import Array, Json, Tensor
from seqgen.utils.sigint import defer_sigint


class HistoryEntry(TypedDict):
    """The progress of a run at a validation; losses are in nats per token."""

    step: int
    tokens_seen: int
    seconds: float  # since the start of the run
    training_loss: float
    validation_loss: float | None
    scored_tokens: int


class RunState:
    """The network and its optimizer, the position in the corpus, the clock and the losses.

    Args:
        setup: the run, at its first step.

    Raises:
        CorpusError: the training part is smaller than one batch.
        ConfigError: the recurrent layer does not have an option that is set.
    """

    def __init__(self, setup: RunSetup) -> None:
        corpus, config = setup.corpus, setup.train_config
        objective = objective_of(corpus)
        self.batches = objective.batches(corpus, config)
        self.tokens_per_step = objective.tokens_per_step(corpus, config)
        self.schedule = Schedule.of_run(
            config, corpus.training_length, self.tokens_per_step, setup.started, setup.clock
        )
        self.schedule.reserve(mixing.seconds_to_fit(corpus))
        divide_threads(config.batch_size)
        fast_layers.require_support(setup.model_config, config)
        with distributed.strategy_for(config.batch_size).scope():
            self.network = build(setup.model_config, len(corpus.vocabulary), config.seed)
            self.train_step = TrainStep(self.network, config, objective)
        if setup.weights:
            self.network.set_weights(setup.weights)
        self.recurrent_state = objective.initial_state(self.network, config.batch_size)
        validation = None
        if len(corpus.validation_ids):
            validation = objective.validation(self.network, corpus, setup.clock)
        self.best_weights = BestWeights(
            self.network, validation, self.schedule, self.tokens_per_step, corpus.training_length
        )
        classes = setup.model_config.output_size(len(corpus.vocabulary))
        self.training_loss = TrainingLoss(classes)
        self.history: list[HistoryEntry] = []
        self.step = 0
        self.seconds_per_step = 0.0  # duration of the last step; 0 for the first one

    def advance(self, plan: StepPlan) -> StepPlan:
        """Take one step. Ctrl-C is deferred to its end: a checkpoint cannot hold half a step.

        Args:
            plan: what this machine would do.

        Returns:
            The plan of the chief, which all machines follow.
        """
        with defer_sigint():
            began = self.schedule.elapsed
            batch = next(self.batches)
            loss, self.recurrent_state, plan = self.train_step(
                batch, self.recurrent_state, plan, self.step
            )
            self.step += 1
            self.training_loss.update(loss, self.step)
            if self.step == 1:  # compiling is part of the first step
                self.schedule.start_steps()
            else:
                self.seconds_per_step = self.schedule.elapsed - began
        return plan

    def validate(self) -> None:
        """Score the network, and add the losses to the history."""
        self.best_weights.validate(self.step)
        progress = self.progress()
        self.history.append(
            {
                "step": progress.step,
                "tokens_seen": progress.tokens_seen,
                "seconds": round(progress.seconds, 2),
                "training_loss": progress.training_loss,
                "validation_loss": progress.validation_loss,
                "scored_tokens": self.best_weights.scored_tokens,
            }
        )

    def progress(self) -> Progress:
        """How far the run is."""
        elapsed = self.schedule.elapsed
        stepping = elapsed - self.schedule.stepping
        speed = (self.step - 1) * self.tokens_per_step / stepping if stepping > 0 else 0.0
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

    def state_dict(self) -> Json:
        """Plain data for `load_state_dict`."""
        return {
            "step": self.step,
            "training_loss": self.training_loss.value,
            "history": self.history,
            "schedule": self.schedule.state_dict(),
            "batches": self.batches.state_dict(),
            "regularisation": self.train_step.regularisation,
            "best_weights": self.best_weights.state_dict(),
        }

    def arrays(self) -> Arrays:
        """Arrays for `load_state_dict`."""
        best = self.best_weights.best
        return {
            "variables": [variable.numpy() for variable in self.train_step.variables],
            "state": [tensor.numpy() for tensor in self.recurrent_state],
            "best": best[1] if best else [],
        }

    def load_state_dict(self, saved: Json, arrays: Arrays) -> None:
        """Continue from the `state_dict` and `arrays` of an earlier state of the same run.

        Raises:
            ValueError: they are of another run, or damaged.
        """
        best = self.network.get_weights() if saved["best_weights"]["best_loss"] is not None else []
        _require_like("variables", arrays.get("variables", []), self.train_step.variables)
        _require_like("state", arrays.get("state", []), self.recurrent_state)
        _require_like("best", arrays.get("best", []), best)
        if not are_finite(arrays.get("best", [])):
            raise ValueError("best: expected finite weights, got NaN or infinity")
        for variable, value in zip(self.train_step.variables, arrays["variables"], strict=True):
            variable.assign(value)
        self.recurrent_state = [tf.constant(array) for array in arrays.get("state", [])]
        self.step, self.history = saved["step"], saved["history"]
        self.training_loss.load(saved["training_loss"])
        self.schedule.load_state_dict(saved["schedule"])
        self.batches.load_state_dict(saved["batches"])
        if "regularisation" in saved:  # not in checkpoints of older versions
            self.train_step.regularisation = Regularisation(*saved["regularisation"])
        self.best_weights.load_state_dict(saved["best_weights"], arrays.get("best", []))


def _require_like(name: str, found: Sequence[Array], expected: Sequence[Tensor | Array]) -> None:
    """Raise `ValueError` unless arrays have the shapes and dtypes of those of this run."""
    was = [(array.shape, array.dtype.name) for array in found]
    now = [(tuple(array.shape), tf.as_dtype(array.dtype).name) for array in expected]
    if was != now:
        raise ValueError(f"{name}: expected {_listed(now)}, got {_listed(was)}")


def _listed(arrays: Sequence[tuple[tuple[int, ...], str]]) -> str:
    return ", ".join(f"{dtype} {shape}" for shape, dtype in arrays)[:80] or "no arrays"

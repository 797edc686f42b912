"""One training step: the loss of a batch, its gradients, and the update of the weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from seqgen.config import TrainConfig
from seqgen.network.backend import keras, tf
from seqgen.network.forward import DropoutMasks
from seqgen.network.sharding import cut, join, limit_blas, shard_count
from seqgen.training.objectives import NextToken, Objective, Parts
from seqgen.training.regularisation import Regularisation
from seqgen.types import Network, Tensor

# Of a step on batches of several shapes, with a signature so that none of them compiles it again:
# there is no recurrent state; then the plan, the regularisation and the number of the step.
FURTHER_ARGUMENTS: tuple[list[Tensor] | tf.TensorSpec, ...] = (
    [],
    tf.TensorSpec((4,), tf.float32),
    tf.TensorSpec((3,), tf.float32),
    tf.TensorSpec((), tf.int32),
)
# The smallest float16 is 6e-8, above many gradients, so the loss is scaled up by this factor.
SCALE = {"float32": 1.0, "bfloat16": 1.0, "float16": 1024.0}


class StepPlan(NamedTuple):
    """What depends on a clock, and is therefore decided by the chief for all machines."""

    learning_rate: float  # of the step
    fraction: float  # of the run, after the step
    validate: float = 0.0  # 1 if a validation follows the step
    save: float = 0.0  # 1 if a checkpoint follows the step


class Adam(keras.optimizers.Adam):  # type: ignore[misc]
    """The optimizer of Keras, with one fused operation for every variable."""

    def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: Tensor) -> None:
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )

    def _all_reduce_sum_gradients(self, gradients_and_variables: Iterable[Tensor]) -> list[Tensor]:
        """Do nothing: `TrainStep` sums gradients over devices itself, before it clips them."""
        return list(gradients_and_variables)


class TrainStep:
    """A network and its optimizer, on all devices of the current strategy.

    The optimizer is Adam with decoupled weight decay (Loshchilov and Hutter 2019) of matrices, not
    of biases. Gradients are clipped by their global norm (Pascanu, Mikolov and Bengio 2013).

    `regularisation` may change between steps, except the rates that are `absent` because they are
    0 at first. Layers that `seqgen.network.kernels` do not support keep their dropout of outputs.

    Args:
        network: the result of `seqgen.network.build.build`.
        config: options of the optimisation.
        objective: what the network should predict; the next token by default.
    """

    def __init__(
        self, network: Network, config: TrainConfig, objective: Objective | None = None
    ) -> None:
        self.network = network
        self.config = config
        self.objective = objective or NextToken()
        dropout = [
            layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)
        ]
        self.regularisation = Regularisation(
            max(dropout, default=0.0), config.recurrent_dropout, config.weight_decay
        )
        rates = self.regularisation._asdict().items()
        self.absent = frozenset(name for name, rate in rates if not rate)
        self.strategy = tf.distribute.get_strategy()
        # Keras refuses a whole number as learning rate.
        self.optimizer = Adam(float(config.learning_rate), beta_2=0.99)
        self.optimizer.build(network.trainable_variables)
        self._rows = config.batch_size // self.strategy.num_replicas_in_sync
        self._shards = shard_count(self._rows)
        shapes = self.objective.signature(network, config.batch_size)
        signature = None if shapes is None else [tuple(shapes), *FURTHER_ARGUMENTS]
        self._compiled = tf.function(self._step, autograph=False, input_signature=signature)

    @property
    def variables(self) -> list[Tensor]:
        """All variables that a step updates."""
        return [*self.network.variables, *self.optimizer.variables]

    def __call__(
        self, batch: Parts, state: list[Tensor], plan: StepPlan, number: int
    ) -> tuple[float, list[Tensor], StepPlan]:
        """Train on a batch.

        Args:
            batch: made by `Objective.batches`, the same on every machine.
            state: the states `(B, units)` of the recurrent layers before the batch, if any.
            plan: the plan of this machine.
            number: number of the step; the dropout masks depend on it and on the seed.

        Returns:
            The mean loss in nats, the states after the batch, and the plan of the chief.
        """
        with limit_blas(self._shards):
            loss, state, agreed = self._compiled(
                tuple(batch),
                state,
                np.array(plan, np.float32),
                np.array(self.regularisation, np.float32),
                np.array(number, np.int32),  # TensorFlow would keep every number for ever
            )
        return float(loss), state, StepPlan(*agreed.numpy().tolist())

    def _step(self, *arguments: Tensor) -> Tensor:
        results = self.strategy.run(self._replica, arguments)
        return tf.nest.map_structure(
            lambda result: self.strategy.experimental_local_results(result)[0], results
        )

    def _replica(
        self,
        batch: Parts,
        state: list[Tensor],
        plan: Tensor,
        rates: Tensor,
        number: Tensor,
    ) -> Tensor:
        """The step on one device, which trains on its rows of the batch, in shards.

        Results are the same on all devices.
        """
        context = tf.distribute.get_replica_context()
        replica, replicas = context.replica_id_in_sync_group, context.num_replicas_in_sync
        rows, count = self._rows, self._shards
        if replicas > 1:
            first = replica * rows
            batch, state = tf.nest.map_structure(
                lambda tensor: tf.ensure_shape(
                    tensor[first : first + rows], (rows, *tensor.shape[1:])
                ),
                (batch, state),
            )
        number = (number * replicas + replica) * count
        masks = DropoutMasks(
            self.config.seed,
            number,
            dropout=rates[0],
            recurrent_dropout=rates[1] if self.config.recurrent_dropout else None,
        )
        loss, state, sums = self._gradients(count, masks, batch, state)
        if replicas > 1:
            plan *= tf.cast(tf.equal(replica, 0), plan.dtype)
            plan, loss, *sums = context.all_reduce(tf.distribute.ReduceOp.SUM, [plan, loss, *sums])
            state = [context.all_gather(tensor, axis=0) for tensor in state]
        scale = replicas * count * SCALE[self.config.precision]
        factor = tf.minimum(self.config.clip_norm * scale / tf.linalg.global_norm(sums), 1) / scale
        self.optimizer.learning_rate.assign(plan[0])
        if self.config.weight_decay:
            self._decay_weights(plan[0] * rates[2])
        self.optimizer.apply(
            [gradient * factor for gradient in sums], self.network.trainable_variables
        )
        return loss / (replicas * count), state, plan

    def _decay_weights(self, share: Tensor) -> None:
        """w := (1 - share) w for all weights w but the biases."""
        for variable in self.network.trainable_variables:
            if "bias" not in variable.name:
                variable.assign(variable - share * variable)

    def _gradients(
        self, count: int, masks: DropoutMasks, batch: Parts, state: list[Tensor]
    ) -> Tensor:
        """Return the sum of the losses of `count` shards, the new states, and its gradients."""
        losses, states = [], []
        with tf.GradientTape() as tape:
            rows, precision = batch[0].shape[0] // count, self.config.precision
            forward = self.objective.forward(self.network, rows, masks=masks, precision=precision)
            for i, (shard, before) in enumerate(cut(count, batch, state)):
                loss, after = self.objective.loss(forward, shard, before, i)
                losses.append(loss)
                states.append(after)
            loss = tf.add_n(losses)
            regularisers = [count * penalty for penalty in self.network.losses]
            total = tf.add_n([loss, *regularisers]) * SCALE[self.config.precision]
        gradients = tape.gradient(total, self.network.trainable_variables)
        return loss, join(states), [tf.convert_to_tensor(gradient) for gradient in gradients]

"""One step of training: a batch's loss, its gradients, and what they change."""

from __future__ import annotations

from typing import Any

from seqgen.backend import keras, tf
from seqgen.batches import Batch
from seqgen.config import TrainConfig
from seqgen.network import Chance, forward
from seqgen.sharding import cut, join, shard_count

# float16 ends at 6e-8, above many a gradient; they are this many times as large on their way.
SCALE = {"float32": 1.0, "bfloat16": 1.0, "float16": 1024.0}


class TrainStep:
    """A network and its optimizer.

    Adam with decoupled weight decay (Loshchilov and Hutter 2019), of matrices only; gradients are
    clipped by the norm of all together (Pascanu and others 2013).

    Args:
        network: what `seqgen.network.build` gave.
        config: how it is trained.
    """

    def __init__(self, network: Any, config: TrainConfig) -> None:
        self.network = network
        self.config = config
        self.optimizer = keras.optimizers.Adam(
            config.learning_rate,
            weight_decay=config.weight_decay or None,
            beta_2=0.99,
            global_clipnorm=config.clip_norm,
        )
        if config.weight_decay:
            self.optimizer.exclude_from_weight_decay(var_names=["bias"])
        self.optimizer.build(network.trainable_variables)
        self._compiled = tf.function(self._step)

    @property
    def variables(self) -> list[Any]:
        """All that a step changes."""
        return [*self.network.variables, *self.optimizer.variables]

    def __call__(
        self, batch: Batch, state: list[Any], learning_rate: float, number: int
    ) -> tuple[float, list[Any]]:
        """Learn from a batch.

        Args:
            batch: a window of every stream.
            state: of every recurrent layer, before the window, `(B, units)`.
            learning_rate: of this step.
            number: of this step; with the seed it decides what dropout drops.

        Returns:
            The loss in nats per token, and the state behind the window.
        """
        self.optimizer.learning_rate.assign(learning_rate)
        loss, state = self._compiled(*batch, state, tf.constant(number))
        return float(loss), state

    def _step(self, inputs: Any, targets: Any, carry: Any, state: Any, number: Any) -> Any:
        state = [each * carry[:, None] for each in state]
        count = shard_count(self.config.batch_size)
        shards = enumerate(cut(count, inputs, targets, state))
        results = [self._shard(number * count + i, *shard) for i, shard in shards]
        losses, states, gradients = zip(*results, strict=True)
        scale = count * SCALE[self.config.precision]
        mean = [tf.add_n(each) / scale for each in zip(*gradients, strict=True)]
        self.optimizer.apply(mean, self.network.trainable_variables)
        return tf.add_n(losses) / count, join(list(states))

    def _shard(self, number: Any, inputs: Any, targets: Any, state: Any) -> Any:
        """Some streams' loss, their next state, and the gradients."""
        with tf.GradientTape() as tape:
            logits, state = forward(
                self.network,
                inputs,
                state,
                chance=Chance(self.config.seed, number, self.config.recurrent_dropout),
                precision=self.config.precision,
            )
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_mean(losses)
            total = tf.add_n([loss, *self.network.losses])  # the layers' own regularisers
            total *= SCALE[self.config.precision]
        gradients = tape.gradient(total, self.network.trainable_variables)
        return loss, state, [tf.convert_to_tensor(each) for each in gradients]

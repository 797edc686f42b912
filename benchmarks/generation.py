"""Characters per second, one stream: seqgen against the same network in TensorFlow.

    python -m benchmarks.generation [--rounds 5]

TensorFlow is given its best chance: the cells themselves in one `tf.function` with a fixed
signature, without the loop over time that the layers bring; the layers' own way is shown beside.
Each draws its characters by the same sampler, turn by turn in one process.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np

from benchmarks.measure import print_table, untrained
from seqgen.backend import keras, tf
from seqgen.config import SampleConfig
from seqgen.generation import generate
from seqgen.model import Model
from seqgen.network import KerasStepper
from seqgen.runtime import Stepper


class CellStepper(KerasStepper):
    """The cells of a Keras network, one step of each in a `tf.function`."""

    def __init__(self, model: Model) -> None:
        super().__init__(model.bundle.model_config, model.bundle.weights)
        self._step = tf.function(self._one_step)

    def _one_step(self, ids: Any, state: Any) -> Any:
        x, before, after = ids, list(state), []
        for layer in self.network.layers[1:]:
            if isinstance(layer, keras.layers.RNN):
                count = 2 if isinstance(layer, keras.layers.LSTM) else 1
                x, layer_state = layer.cell(x, [before.pop(0) for _ in range(count)])
                after += layer_state
            else:
                x = layer(x)
        return x, after

    def step(self, ids: Any, state: Any) -> Any:
        logits, state = self._step(tf.constant(ids, tf.int32), state)
        return logits.numpy(), state


def characters_per_second(stepper: Stepper, length: int) -> float:
    began = time.perf_counter()
    drawn = list(generate(stepper, np.array([0]), SampleConfig(length=length)))
    return len(drawn) / (time.perf_counter() - began)


def compare(units: int, layers: int, rounds: int) -> tuple[str, ...]:
    model = untrained(units, layers)
    steppers: list[tuple[Stepper, int]] = [
        (model.stepper, 5000),
        (CellStepper(model), 1000),
        (KerasStepper(model.bundle.model_config, model.bundle.weights), 500),
    ]
    speeds: list[list[float]] = [[] for _ in steppers]
    for round_number in range(rounds + 1):
        for place, (stepper, length) in enumerate(steppers):
            speed = characters_per_second(stepper, length)
            if round_number:  # the first one warms up
                speeds[place].append(speed)
    seqgen, cells, layered = map(statistics.median, speeds)
    turns = zip(*speeds, strict=True)
    ratio = statistics.median(ours / max(theirs) for ours, *theirs in turns)
    return (
        f"LSTM {layers} x {units}",
        f"{seqgen:,.0f}",
        f"{cells:,.0f}",
        f"{layered:,.0f}",
        f"{ratio:.1f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of each")
    rounds = parser.parse_args().rounds
    header = (
        f"characters/s, one stream, median of {rounds}",
        "seqgen",
        "`tf.function` of the cells",
        "`tf.function` of the layers",
        "seqgen over the faster one (at least 5 at 2 x 512)",
    )
    print_table("Generation", [header, compare(512, 2, rounds), compare(256, 1, rounds)])


if __name__ == "__main__":
    main()

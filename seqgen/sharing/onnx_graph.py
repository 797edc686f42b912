"""A trained network as an ONNX graph: ids and state in, logits and state out.

The nodes are those of the ONNX standard. Their weights are in another order than those of Keras:

    LSTM  i, f, g, o  →  i, o, f, c (Keras's g)
    GRU   z, r, g     →  z, r, h; `linear_before_reset` is Keras's `reset_after`

and gates are rows, not columns. Sequences are `(T, B, …)`, in Keras `(B, T, …)`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqgen.cells import base as cells
from seqgen.config import ModelConfig
from seqgen.errors import ConfigError, OutputError
from seqgen.model_file import ModelData
from seqgen.types import Floats
from seqgen.utils.atomic_files import atomic_write

OPSET = 17
NODES = {"lstm": "LSTM", "gru": "GRU", "simple_rnn": "RNN"}  # cell → operator
GATES = {"lstm": (0, 3, 1, 2), "gru": (0, 1, 2), "simple_rnn": (0,)}  # of Keras, as ONNX has them
STATES = ("hidden", "cell")  # what the states of a layer are called
ACTIVATIONS = {name: name.title() for name in ("tanh", "sigmoid", "relu", "softplus", "softsign")}


def save(data: ModelData, path: Path) -> None:
    """Write the network of a model as an ONNX file, atomically.

    Args:
        data: the model; its mixture and its copy index are left out.
        path: of the file.

    Raises:
        ConfigError: the network predicts classes, or has a cell or an activation that ONNX lacks.
        OutputError: `onnx` is not installed, or the file cannot be written.
    """
    graph = model_proto(data)
    with atomic_write(path, keep=True) as temporary:
        temporary.write_bytes(graph.SerializeToString())


def model_proto(data: ModelData) -> Any:
    """The network of a model as an `onnx.ModelProto`.

    Its inputs are `ids` `(B, T)`, with lags `(B, T, F)`, and for every kind of state `hidden` and,
    of an LSTM, `cell` `(layers, B, units)`, zeros at first; its outputs `logits` `(B, T, V)`,
    `hidden_out` and `cell_out`. The metadata hold the task and the vocabulary.

    Raises:
        ConfigError: the network predicts classes, or has a cell or an activation that ONNX lacks.
        OutputError: `onnx` is not installed.
    """
    try:
        import onnx
        from onnx import helper
    except ImportError as error:
        raise OutputError(
            f"an ONNX file is written with onnx, which cannot be imported ({error}); pip install "
            '"seqgen[onnx]"'
        ) from error
    config = data.model_config
    _require_exportable(config)
    states = STATES[: cells.get(config.cell).states]
    nodes = [helper.make_node(*arguments, **options) for arguments, options in _nodes(config)]
    size, float32 = len(data.vocabulary), onnx.TensorProto.FLOAT
    ids = ["batch", "time", *([1 + len(config.lags)] if config.lags else [])]
    shape = (config.layers, "batch", config.units)
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "seqgen",
        [info("ids", onnx.TensorProto.INT64, ids), *(info(s, float32, shape) for s in states)],
        [
            info("logits", float32, ("batch", "time", size)),
            *(info(f"{state}_out", float32, shape) for state in states),
        ],
        [onnx.numpy_helper.from_array(a, name) for name, a in _initializers(config, data.weights)],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="seqgen",
        producer_version=data.seqgen_version,
    )
    model.ir_version = 8  # that of the opset, so that older runtimes read it
    tokens = json.dumps(data.vocabulary.to_json(), ensure_ascii=False)
    helper.set_model_props(model, {"task": data.task, "vocabulary": tokens})
    onnx.checker.check_model(model, full_check=True)
    return model


def _require_exportable(config: ModelConfig) -> None:
    if config.predicts_class:
        raise ConfigError(
            "expected a model that predicts the next token, got one that predicts labels, which "
            "has no state to continue from; export another model"
        )
    if config.cell not in NODES:
        raise ConfigError(
            f"cell: expected one of {', '.join(NODES)}, which ONNX has, got {config.cell}; export "
            "another model"
        )
    for name in ("activation", "recurrent_activation"):
        value = config.cell_options.get(name, "tanh")
        if not isinstance(value, str) or value not in ACTIVATIONS:
            raise ConfigError(
                f"{name}: expected one of {', '.join(ACTIVATIONS)}, which ONNX has, got {value!r}; "
                "export another model"
            )


Arguments = tuple[tuple[str, list[str], list[str]], dict[str, Any]]


def _nodes(config: ModelConfig) -> list[Arguments]:
    """The operator, inputs, outputs and attributes of every node."""
    states = STATES[: cells.get(config.cell).states]
    found: list[Arguments] = [(("Gather", ["embedding", "ids"], ["embedded"]), {})]
    x = "embedded"  # (B, T, E), with lags (B, T, F, E)
    if config.lags:
        found.append((("ReduceSum", [x, "lag_axis"], ["summed"]), {"keepdims": 0}))
        x = "summed"
    found.append((("Transpose", [x], ["sequence_0"]), {"perm": [1, 0, 2]}))  # (T, B, E)
    for state in states:  # → (1, B, units) per layer
        parts = [f"{state}_{i}" for i in range(config.layers)]
        found.append((("Split", [state, "ones"], parts), {"axis": 0}))
    for layer in range(config.layers):
        weights = [f"{name}_{layer}" for name in ("W", "R", "B")]
        before = [f"{state}_{layer}" for state in states]
        after = [f"{state}_{layer}_out" for state in states]
        inputs = [f"sequence_{layer}", *weights, "", *before]
        found += [
            ((NODES[config.cell], inputs, [f"y_{layer}", *after]), _attributes(config)),
            # (T, 1, B, units) → (T, B, units)
            (("Squeeze", [f"y_{layer}", "direction_axis"], [f"sequence_{layer + 1}"]), {}),
        ]
    for state in states:
        parts = [f"{state}_{i}_out" for i in range(config.layers)]
        found.append((("Concat", parts, [f"{state}_out"]), {"axis": 0}))
    last = f"sequence_{config.layers}"
    return [
        *found,
        (("Transpose", [last], ["output"]), {"perm": [1, 0, 2]}),
        (("MatMul", ["output", "output_kernel"], ["product"]), {}),
        (("Add", ["product", "output_bias"], ["logits"]), {}),
    ]


def _attributes(config: ModelConfig) -> dict[str, Any]:
    options = config.cell_options
    activation = ACTIVATIONS[options.get("activation", "tanh")]
    recurrent = ACTIVATIONS[options.get("recurrent_activation", "sigmoid")]
    found: dict[str, Any] = {"hidden_size": config.units}
    if config.cell == "lstm":
        found["activations"] = [recurrent, activation, activation]
    elif config.cell == "gru":
        found["activations"] = [recurrent, activation]
        found["linear_before_reset"] = int(bool(options.get("reset_after", True)))
    else:
        found["activations"] = [activation]
    return found


def _initializers(config: ModelConfig, weights: Sequence[Floats]) -> list[tuple[str, Any]]:
    """The weights by name, in the order and the shapes of ONNX."""
    embedding, *rest, output_kernel, output_bias = weights
    per_layer = len(rest) // config.layers
    found = [
        ("embedding", embedding),
        ("output_kernel", output_kernel),
        ("output_bias", output_bias),
        ("ones", np.ones(config.layers, np.int64)),
        ("direction_axis", np.array([1])),
    ]
    if config.lags:
        found.append(("lag_axis", np.array([2])))
    for layer in range(config.layers):
        kernel, recurrent, *biases = rest[layer * per_layer : (layer + 1) * per_layer]
        order = GATES[config.cell]
        gates = len(order) * config.units
        # Keras: (gates,) for both products; of a GRU with `reset_after` (2, gates), one for each.
        both = np.zeros((2, gates), np.float32)
        for bias in biases:
            both[: np.atleast_2d(bias).shape[0]] = bias
        found += [
            (f"W_{layer}", _reordered(kernel.T, order)),
            (f"R_{layer}", _reordered(recurrent.T, order)),
            (f"B_{layer}", np.concatenate([_reordered(b, order) for b in both], axis=1)),
        ]
    return found


def _reordered(rows: Floats, order: Sequence[int]) -> Floats:
    """Blocks of rows in another order, `(1, rows, …)`: one direction."""
    blocks = np.split(rows, len(order))
    return np.ascontiguousarray(np.concatenate([blocks[gate] for gate in order])[None], np.float32)

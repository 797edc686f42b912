"""Models, corpora and scores as text for the user."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from seqgen.model_file import ModelData
from seqgen.reporting import classification
from seqgen.tasks import base as tasks
from seqgen.types import Json

if TYPE_CHECKING:
    from seqgen.evaluation.compare_cells import CellResult

SHOWN_TOKENS = 40  # of a vocabulary


def losses(name: str, nats: float) -> str:
    """A loss in nats and in bits.

    >>> losses("training", 1.0)
    'training 1.000 nats (1.443 bits)'
    """
    return f"{name} {nats:.3f} nats ({nats / math.log(2):.3f} bits)"


def score(model_data: ModelData) -> str:
    """One line with the scores of a training run."""
    scores, token = model_data.scores, tasks.get(model_data.task).token_name
    loss = scores["validation_loss"]
    text = (
        "no validation part to score"
        if loss is None
        else f"{losses('validation', loss)} per {tasks.get(model_data.task).target_name or token}"
    )
    if (accuracy := scores.get("validation_accuracy")) is not None:
        text += f", accuracy {accuracy:.4f}"
    for unit in score_units(scores):
        text += f", {scores[f'bits_per_{unit}']:.3f} bits per {unit}"
    text += scored_part(model_data)
    text += f"; {scores['tokens_seen']:,} {token}s seen in {scores['seconds']:.0f} s"
    return f"{text}, ended early: {scores['ended_early']}" if scores["ended_early"] else text


def scored_part(model_data: ModelData) -> str:
    """The number of held-out tokens that the final score is on, as text.

    Empty if this score and all losses during training are on all of them.
    """
    held_out = model_data.corpus["split"]["validation_tokens"]
    final = model_data.scores.get("validation_tokens", held_out)
    during = {entry.get("scored_tokens", final) for entry in model_data.history}
    if not final or (during <= {held_out} and final == held_out):
        return ""
    token = tasks.get(model_data.task).token_name
    text = f" on {final:,} of {held_out:,} held-out {token}s"
    if during - {final}:
        text += f" (during training on {max(during):,})"
    return text


def score_units(scores: Json) -> list[str]:
    """The units besides tokens in which scores are given, the main one first.

    >>> score_units({"bits_per_token": 1.2, "bits_per_note": 2.5})
    ['note']
    """
    prefix = "bits_per_"
    named = (key.removeprefix(prefix) for key in scores if key.startswith(prefix))
    return [unit for unit in named if unit != "token" and scores[prefix + unit] is not None]


def corpus(metadata: Json, vocabulary_size: int) -> str:
    """One line on a corpus.

    Args:
        metadata: `Corpus.metadata`.
        vocabulary_size: number of different tokens.
    """
    split, token = metadata["split"], tasks.get(metadata["task"]).token_name
    return (
        f"{metadata['name']}: {metadata['tokens']:,} {token}s, {vocabulary_size} different; "
        f"{split['training_tokens']:,} for training, {split['validation_tokens']:,} held out"
    )


def evaluation(task: str, scores: Json) -> str:
    """The scores of an evaluation as lines of text, and the measures of samples as a table.

    Args:
        task: the name of the task.
        scores: `Evaluation.scores`.
    """
    if "accuracy" in scores:
        return classification.scores(scores)
    token = tasks.get(task).token_name
    lines = [
        f"{scores['corpus']}: {scores['tokens']:,} {token}s",
        f"{scores['nats_per_token']:.3f} nats ({scores['bits_per_token']:.3f} bits) per {token}, "
        f"perplexity {scores['perplexity']:.2f}",
    ]
    main_unit, main_key = token, "bits_per_token"
    if units := score_units(scores):
        main_unit, *others = units
        main_key = f"bits_per_{main_unit}"
        main_nats = scores[f"nats_per_{main_unit}"]
        per_unit = [f"{main_nats:.3f} nats ({scores[main_key]:.3f} bits) per {main_unit}"]
        per_unit += [f"{scores[f'nats_per_{unit}']:.3f} nats per {unit}" for unit in others]
        lines.append(", ".join(per_unit))
    if network := scores.get("network"):
        lines.append(
            f"the network alone: {network['nats_per_token']:.3f} nats per {token}, "
            f"{network[main_key]:.3f} bits per {main_unit}"
        )
    if adaptive := scores.get("adaptive"):
        alone = adaptive.get("network")
        lines.append(
            f"adaptive: {adaptive['nats_per_token']:.3f} nats per {token}, "
            f"{adaptive[main_key]:.3f} bits per {main_unit}"
            + (f"; the network alone: {alone['nats_per_token']:.3f} nats" if alone else "")
        )
    if baseline := scores["baseline"]:
        difference = baseline[main_key] - scores[main_key]
        verb = "beats" if difference >= 0 else "is worse than"
        name = baseline.get("model") or f"best {baseline['order']}-gram"
        lines.append(
            f"{verb} the {name} by {abs(difference):.2f} bits per "
            f"{main_unit} ({baseline[main_key]:.3f})"
        )
    if "samples" in scores:
        lines.append(f"\n{_samples_table(scores['samples'])}")
    return "\n".join(lines)


def _samples_table(samples: Json) -> str:
    """A row for each measure, a column for each group of texts or pieces."""
    measures = {name: groups for name, groups in samples.items() if name != "count"}
    columns = list(dict.fromkeys(group for groups in measures.values() for group in groups))
    titles = [f"{samples['count']} {name}" if name == "samples" else name for name in columns]
    rows = [" " * 26 + "".join(f"{title.replace('_', ' '):>14}" for title in titles)]
    rows += [
        f"{name.replace('_', ' '):26}" + "".join(_number(groups.get(column)) for column in columns)
        for name, groups in measures.items()
    ]
    return "\n".join(rows)


def comparison(task: str, results: Mapping[str, CellResult], uniform_loss: float) -> str:
    """The results of a comparison of cells as tables.

    Args:
        task: the name of the task.
        results: cell → result, as `seqgen.evaluation.compare_cells.compare` returns them.
        uniform_loss: the loss in nats of uniform guessing in the delayed recall task.
    """
    text = _scores_table(tasks.get(task).token_name, results)
    recalls = {cell: result["recall"] for cell, result in results.items() if result.get("recall")}
    if recalls:
        gaps = list(dict.fromkeys(gap for losses in recalls.values() for gap in losses))
        rows = [["loss after a gap of", *map(str, gaps), "remembers"]]
        for cell, losses in recalls.items():
            nats = [f"{losses[gap]:.2f}" if gap in losses else "" for gap in gaps]
            rows.append([cell, *nats, str(results[cell].get("remembered", ""))])
        text += f"\n\n{_aligned(rows)}\n(uniform guessing: {uniform_loss:.2f})"
    return text


def _scores_table(token: str, results: Mapping[str, CellResult]) -> str:
    """A row for each cell: its size, speed and scores."""
    scores = {cell: result["scores"] for cell, result in results.items()}
    units = list(dict.fromkeys(unit for values in scores.values() for unit in score_units(values)))
    header = ["", "parameters", f"{token}s/s", f"{token}s seen", "validation", f"bits/{token}"]
    rows = [header + [f"bits/{unit}" for unit in units]]
    for cell, values in scores.items():
        losses = [values["validation_loss"], values["bits_per_token"]]
        losses += [values.get(f"bits_per_{unit}") for unit in units]
        rows.append(
            [cell, f"{values['parameters']:,}", f"{results[cell]['tokens_per_second']:,.0f}"]
            + [f"{values['tokens_seen']:,}"]
            + ["" if loss is None else f"{loss:.3f}" for loss in losses]
        )
    return _aligned(rows)


def _aligned(rows: list[list[str]]) -> str:
    """A table whose first column is aligned left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        row[0].ljust(widths[0])
        + "".join(f"  {text:>{width}}" for text, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    )


def _number(value: float | None) -> str:
    text = "" if value is None else f"{value:.3f}" if value % 1 else f"{value:.0f}"
    return f"{text:>14}"


def model_metadata(model_data: ModelData) -> Json:
    """The content of a model file without the tokens and the weights, as plain data."""
    metadata = model_data.metadata()
    tokens = metadata.pop("vocabulary")
    if model_data.mixture is not None:
        tree = model_data.mixture.tree
        metadata["mixture"] = {"order": tree.order, "ngrams": len(tree.tokens)}
    return {**metadata, "vocabulary_size": len(tokens), "parameters": model_data.parameters}


def model(model_data: ModelData) -> str:
    """The content of a model file as a table."""
    config, run = model_data.model_config, model_data.train_config
    length = f"{run.minutes:g} minutes" if run.minutes else f"{run.epochs:g} epochs"
    vocabulary = model_data.vocabulary
    tokens = " ".join(repr(token)[1:-1] for token in vocabulary.tokens[:SHOWN_TOKENS])
    rows = {
        "model": f"{model_data.task}, made by seqgen {model_data.seqgen_version}",
        "network": f"{config.cell}, {config.layers} x {config.units} units, "
        f"embedding {config.embedding}, dropout {config.dropout:g}, "
        f"{model_data.parameters:,} parameters",
        "cell options": ", ".join(f"{k}={v}" for k, v in config.cell_options.items()),
        "corpus": corpus(model_data.corpus, len(vocabulary)),
        model_data.task: tasks.get(model_data.task).summarise(model_data.corpus),
        "sha256": model_data.corpus["sha256"],
        "vocabulary": tokens + (" …" if len(vocabulary) > SHOWN_TOKENS else ""),
        "training": f"{length}, batch size {run.batch_size}, window {run.window}, "
        f"learning rate {run.learning_rate:g}, weight decay {run.weight_decay:g}, "
        f"recurrent dropout {run.recurrent_dropout:g}, "
        f"{run.precision}, seed {run.seed}",
        "mixture": _mixture(model_data),
        "why": model_data.chosen,
        "score": score(model_data),
    }
    return "\n".join(f"{name:13} {text}" for name, text in rows.items() if text)


def _mixture(model_data: ModelData) -> str:
    """What the predictions of the network are mixed with; empty if with nothing."""
    mixture = model_data.mixture
    if mixture is None:
        return ""
    nodes, order = len(mixture.tree.tokens), mixture.tree.order
    return f"with {nodes:,} n-grams of up to {order + 1} tokens, and what a sequence repeats"

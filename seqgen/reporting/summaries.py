"""Models, corpora and scores in words, for a person to read."""

from __future__ import annotations

import math
from typing import Any

from seqgen.model_file import ModelData
from seqgen.music.io.result import ReadResult
from seqgen.tasks import base as tasks

MOST_REASONS = 3  # that a line has room for


def losses(name: str, nats: float) -> str:
    """A loss in both units.

    >>> losses("training", 1.0)
    'training 1.000 nats (1.443 bits)'
    """
    return f"{name} {nats:.3f} nats ({nats / math.log(2):.3f} bits)"


def score(model_data: ModelData) -> str:
    """One line on how a run ended."""
    scores, token = model_data.scores, tasks.get(model_data.task).token_name
    loss = scores["validation_loss"]
    text = (
        "nothing held out to score" if loss is None else f"{losses('validation', loss)} per {token}"
    )
    for unit in score_units(scores):
        text += f", {scores[f'bits_per_{unit}']:.3f} bits per {unit}"
    text += scored_part(model_data)
    text += f"; {scores['tokens_seen']:,} {token}s seen in {scores['seconds']:.0f} s"
    return f"{text}, ended early: {scores['ended_early']}" if scores["ended_early"] else text


def scored_part(model_data: ModelData) -> str:
    """How much of the held-out part the final score is on; empty if all losses are on all of it."""
    held_out = model_data.corpus["split"]["validation_tokens"]
    final = model_data.scores.get("validation_tokens", held_out)
    during = {each.get("scored_tokens", final) for each in model_data.history}
    if not final or (during <= {held_out} and final == held_out):
        return ""
    token = tasks.get(model_data.task).token_name
    text = f" on {final:,} of {held_out:,} held-out {token}s"
    if during - {final}:
        text += f" (during training on {max(during):,})"
    return text


def score_units(scores: dict[str, Any]) -> list[str]:
    """The units besides tokens that scores are given per, the main one first.

    >>> score_units({"bits_per_token": 1.2, "bits_per_note": 2.5})
    ['note']
    """
    prefix = "bits_per_"
    named = (key.removeprefix(prefix) for key in scores if key.startswith(prefix))
    return [unit for unit in named if unit != "token" and scores[prefix + unit] is not None]


def corpus(facts: dict[str, Any], different: int) -> str:
    """One line on a corpus, from `Corpus.metadata` and the size of its vocabulary."""
    split, token = facts["split"], tasks.get(facts["task"]).token_name
    return (
        f"{facts['name']}: {facts['tokens']:,} {token}s, {different} different; "
        f"{split['training_tokens']:,} to learn from, {split['validation_tokens']:,} held out"
    )


def evaluation(task: str, scores: dict[str, Any]) -> str:
    """What a model's evaluation came to, as `seqgen.evaluation.evaluate.evaluate` gives it."""
    token = tasks.get(task).token_name
    lines = [
        f"{scores['corpus']}: {scores['tokens']:,} {token}s",
        f"{scores['nats_per_token']:.3f} nats ({scores['bits_per_token']:.3f} bits) per {token}, "
        f"perplexity {scores['perplexity']:.2f}",
    ]
    unit, key = token, "bits_per_token"
    if units := score_units(scores):
        unit, *others = units
        key = f"bits_per_{unit}"
        per = [f"{scores[f'nats_per_{unit}']:.3f} nats ({scores[key]:.3f} bits) per {unit}"]
        per += [f"{scores[f'nats_per_{each}']:.3f} nats per {each}" for each in others]
        lines.append(", ".join(per))
    if baseline := scores["baseline"]:
        better = baseline[key] - scores[key]
        verb = "beats" if better >= 0 else "is behind"
        lines.append(
            f"{verb} the best {baseline['order']}-gram by {abs(better):.2f} bits per {unit} "
            f"({baseline[key]:.3f})"
        )
    if samples := dict(scores.get("samples", {})):
        count = samples.pop("count")
        columns = list(dict.fromkeys(name for row in samples.values() for name in row))
        titles = (f"{count} {name}" if name == "samples" else name for name in columns)
        lines.append(f"\n{'':26}" + "".join(f"{t.replace('_', ' '):>14}" for t in titles))
        lines += [
            f"{name.replace('_', ' '):26}" + "".join(_figure(row.get(each)) for each in columns)
            for name, row in samples.items()
        ]
    return "\n".join(lines)


def comparison(task: str, found: dict[str, dict[str, Any]], chance: float) -> str:
    """Cells side by side, as `seqgen.evaluation.compare_cells.compare` gives them.

    Args:
        task: the name of the task.
        found: cell → what it came to.
        chance: the loss of a guess, where the cells were to recall.
    """
    token = tasks.get(task).token_name
    rows = [["", "parameters", f"{token}s/s", f"{token}s seen", "validation", f"bits/{token}"]]
    units = list(dict.fromkeys(u for each in found.values() for u in score_units(each["scores"])))
    rows[0] += [f"bits/{unit}" for unit in units]
    for cell, each in found.items():
        scores = each["scores"]
        losses = [scores["validation_loss"], scores["bits_per_token"]]
        losses += [scores.get(f"bits_per_{unit}") for unit in units]
        rows.append(
            [cell, f"{scores['parameters']:,}", f"{each['tokens_per_second']:,.0f}"]
            + [f"{scores['tokens_seen']:,}"]
            + ["" if loss is None else f"{loss:.3f}" for loss in losses]
        )
    text = _aligned(rows)
    recalls = {cell: each["recall"] for cell, each in found.items() if each.get("recall")}
    if recalls:
        gaps = list(dict.fromkeys(gap for losses in recalls.values() for gap in losses))
        rows = [["loss after a gap of", *map(str, gaps), "remembers"]]
        for cell, losses in recalls.items():
            nats = [f"{losses[gap]:.2f}" if gap in losses else "" for gap in gaps]
            rows.append([cell, *nats, str(found[cell].get("remembered", ""))])
        text += f"\n\n{_aligned(rows)}\n(a guess has {chance:.2f})"
    return text


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        row[0].ljust(widths[0]) + "".join(f"  {f:>{w}}" for f, w in zip(row[1:], widths[1:]))  # noqa: B905
        for row in rows
    )


def _figure(value: float | None) -> str:
    text = "" if value is None else f"{value:.3f}" if value % 1 else f"{value:.0f}"
    return f"{text:>14}"


def reading(file: str, found: ReadResult) -> dict[str, Any]:
    """What came of reading a file of music, as plain data."""
    pieces = found.pieces
    return {
        "file": file,
        "kept": bool(pieces),
        "reason": found.reason,
        "skipped": list(found.skipped),
        "pieces": len(pieces),
        "parts": max((len(piece.parts) for piece in pieces), default=0),
        "notes": found.notes,
        "bars": sum(len(piece.bars) for piece in pieces),
        "meters": sorted({str(piece.meter) for piece in pieces}),
        "keys": sorted({str(piece.key) for piece in pieces if piece.key}),
        "counts": {name: count for name, count in found.counts.items() if count},
    }


def reading_line(row: dict[str, Any]) -> str:
    """The same as a line for a person."""
    if not row["kept"]:
        return f"skipped: {row['reason']}"
    said = [
        f"{row['pieces']:,} pieces" if row["pieces"] > 1 else "",
        f"{row['parts']} parts" if row["parts"] > 1 else "",
        f"{row['notes']:,} notes, {row['bars']:,} bars",
        " ".join(row["meters"][:4]),
        " ".join(row["keys"][:4]),
        *(f"{count:,.0f} {name}" for name, count in row["counts"].items() if name != "moved ms"),
    ]
    if moved := row["counts"].get("moved ms"):
        said[-1] += f" by {moved:.0f} ms on average"
    if skipped := row["skipped"]:
        more = "; …" if len(skipped) > MOST_REASONS else ""
        said.append(f"{len(skipped):,} pieces skipped: {'; '.join(skipped[:MOST_REASONS])}{more}")
    return ", ".join(filter(None, said))


def facts(model_data: ModelData) -> dict[str, Any]:
    """What the model file holds, but for the list of tokens and the weights."""
    held = model_data.metadata()
    tokens = held.pop("vocabulary")
    return {**held, "vocabulary_size": len(tokens), "parameters": model_data.parameters}


def table(model_data: ModelData) -> str:
    """A few lines on a model."""
    config, run = model_data.model_config, model_data.train_config
    length = f"{run.minutes:g} minutes" if run.minutes else f"{run.epochs:g} epochs"
    tokens = " ".join(repr(token)[1:-1] for token in model_data.vocabulary.tokens[:40])
    rows = {
        "model": f"{model_data.task}, made by seqgen {model_data.seqgen_version}",
        "network": f"{config.cell}, {config.layers} x {config.units} units, "
        f"embedding {config.embedding}, dropout {config.dropout:g}, "
        f"{model_data.parameters:,} parameters",
        "cell options": ", ".join(f"{k}={v}" for k, v in config.cell_options.items()),
        "corpus": corpus(model_data.corpus, len(model_data.vocabulary)),
        model_data.task: tasks.get(model_data.task).summarise(model_data.corpus),
        "sha256": model_data.corpus["sha256"],
        "vocabulary": tokens + (" …" if len(model_data.vocabulary) > 40 else ""),
        "training": f"{length}, batch size {run.batch_size}, window {run.window}, "
        f"learning rate {run.learning_rate:g}, weight decay {run.weight_decay:g}, "
        f"recurrent dropout {run.recurrent_dropout:g}, "
        f"{run.precision}, seed {run.seed}",
        "why": model_data.chosen,
        "score": score(model_data),
    }
    return "\n".join(f"{name:13} {text}" for name, text in rows.items() if text)

"""A model card in the format of Hugging Face: YAML for programs, then Markdown for people."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqgen.corpus.catalogue import read_catalogue
from seqgen.errors import CorpusError, one_line
from seqgen.evaluation.evaluate import evaluate
from seqgen.model import Model
from seqgen.reporting import summaries
from seqgen.types import Json

UNKNOWN_LICENCE = "unknown"  # a licence of the Hub's list
METRICS = ("accuracy", "macro_f1", "perplexity", "validation_accuracy", "validation_loss")


@dataclass(frozen=True)
class Card:
    """What a card says besides the content of the model file.

    Attributes:
        name: of the model file, such as `book.keras`.
        licence: an identifier of the Hugging Face Hub, such as `mit`.
        scores: `Evaluation.scores`; None if the training corpus is not here.
        samples: as text; empty ones are left out.
    """

    name: str
    licence: str = UNKNOWN_LICENCE
    scores: Json | None = None
    samples: Sequence[str] = ()

    def text(self, model: Model) -> str:
        """The card of a model.

        Args:
            model: the model.
        """
        sections = [
            _front_matter(_metadata(self, model)),
            f"# {_inline(self.name.removesuffix('.keras'))}\n\n{_introduction(model)}",
            _use(self.name, model),
            f"## Corpus and options\n\n{fenced(summaries.model(model.data))}",
            _corpus(self, model),
            f"## Scores\n\n{_scores(self, model)}",
        ]
        if samples := "\n\n".join(fenced(sample) for sample in self.samples if sample):
            sections.append(f"## Samples\n\nNothing was selected.\n\n{samples}")
        return "\n\n".join(sections) + "\n"


def evaluated(model: Model, folder: Path) -> tuple[Json | None, list[str]]:
    """The scores of a model on the held-out part of its corpus, and messages to the user.

    Args:
        model: the model.
        folder: of its file, in which the corpus is searched for, too.

    Returns:
        None in place of the scores if the corpus is not found, or nothing was held out.
    """
    try:
        found = evaluate(model, folder=folder)
    except CorpusError as error:
        return None, [f"no scores beside a baseline: {error}"]
    return found.scores, found.notes


def fenced(text: str) -> str:
    """A block of text in Markdown, whatever the text contains.

    >>> print(fenced("a\\n```"))
    ````text
    a
    ```
    ````
    """
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}"


def _inline(name: str) -> str:
    """A name in Markdown, in which no character has a meaning."""
    return re.sub(r"([\\`*_{}\[\]<>#!|&~])", r"\\\1", one_line(name))


def _front_matter(metadata: Json) -> str:
    """YAML, of which JSON is a part."""
    lines = (f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in metadata.items())
    return "\n".join(("---", *lines, "---"))


def _metadata(card: Card, model: Model) -> Json:
    data = model.data
    corpus = one_line(data.corpus["name"])  # YAML has more line breaks than JSON
    result = {
        "task": {"type": data.task},
        "dataset": {"name": corpus, "type": corpus},
        "metrics": [{"type": name, "value": value} for name, value in _metrics(card, model)],
    }
    return {
        "library_name": "keras",
        "license": card.licence,
        "tags": ["seqgen", data.task, data.model_config.cell],
        "model-index": [{"name": one_line(card.name).removesuffix(".keras"), "results": [result]}],
    }


def _metrics(card: Card, model: Model) -> Iterator[tuple[str, float]]:
    """The names and values of the scores that programs read."""
    scores = model.data.scores if card.scores is None else card.scores
    for name, value in scores.items():
        is_metric = name in METRICS or name.startswith("bits_per_")
        if is_metric and value is not None and math.isfinite(value):
            yield name, value


def _introduction(model: Model) -> str:
    data = model.data
    config, corpus = data.model_config, data.corpus
    return (
        f"A model of {data.task}: {config.layers} x {config.units} units of {config.cell}, "
        f"{data.parameters:,} parameters, trained with seqgen {data.seqgen_version} on "
        f"{_inline(corpus['name'])}. It is one file of stock Keras layers."
    )


def _use(name: str, model: Model) -> str:
    command = "classify" if model.data.model_config.predicts_class else "generate"
    argument = ' "TEXT"' if model.data.model_config.predicts_class else ""
    python = fenced(
        f"seqgen {command} {name}{argument}\n\n"
        f'network = keras.models.load_model("{name}")  # ids in, logits out; without seqgen'
    )
    return f"## Use\n\n{python}"


def _corpus(card: Card, model: Model) -> str:
    corpus = model.data.corpus
    lines = [
        f"- SHA-256 of the corpus: `{corpus['sha256']}`",
        f"- Licence of the model: {_inline(card.licence)}",
    ]
    entry = read_catalogue().get(corpus["name"])
    if entry is not None:
        lines.append(f"- Licence of the corpus: {_inline(entry.licence)}; {_inline(entry.source)}")
    if model.data.indexes:
        lines.append("- The file has an index of the corpus, with which copies are found.")
    return "\n".join(lines)


def _scores(card: Card, model: Model) -> str:
    if card.scores is None:
        return fenced(summaries.score(model.data))
    text = fenced(summaries.evaluation(model.data.task, card.scores))
    table = _beside_baseline(card.scores)
    return f"{table}\n\n{text}" if table else text


def _beside_baseline(scores: Json) -> str:
    """A row for each loss, with columns for the model and the baseline; empty without one."""
    baseline: Json | None = scores.get("baseline")
    if not baseline:
        return ""
    name = baseline.get("model") or f"best {baseline['order']}-gram"
    rows = [f"| | model | {_inline(name)} |", "|---|---|---|"]
    for key, value in baseline.items():
        if key in scores and isinstance(value, float):
            rows.append(f"| {key.replace('_', ' ')} | {scores[key]:.3f} | {value:.3f} |")
    return "\n".join(rows)

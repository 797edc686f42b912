"""Chooses the options that the user did not set.

They depend on the length of the corpus, the length of the run, and the speed of the machine, which
`seqgen.training.choice` measures. The experiments that led to the rules are in `benchmarks/LOG.md`.
The two main rules:

- The best width for a given time is the largest one with which the network still sees seven times
  as many tokens as it has weights.
- Dropout grows with the number of weights and of epochs, and falls with the size of the corpus, see
  `seqgen.training.regularisation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from seqgen.cells import base as cells
from seqgen.config import BUCKETS, ModelConfig
from seqgen.training.batches import fitting_size
from seqgen.training.cost_model import AVERAGE, CostModel
from seqgen.training.regularisation import Regularisation
from seqgen.types import Json

WIDTHS = (64, 128, 256, 384, 512, 768, 1024)
MIN_TOKENS_PER_WEIGHT = 7  # tokens that the network sees in the run, per weight
SCORING = 0.08  # share of the time after `Budget.start` that validations take
MAX_WEIGHTS_PER_TOKEN = 5  # weights per token of the corpus
MIN_EMBEDDING, MAX_EMBEDDING = 64, 256
MOST_UNITS_OF_CLASSES = 128  # of networks that predict the class of a piece
MIN_EPOCHS_OF_CLASSES = 6  # passes over the corpus for which such a width needs the time
FEW_PIECES = 20_000
MAX_BATCH_SIZE = 64  # of wide networks; others get that of `batches.fitting_size`


@dataclass(frozen=True)
class Budget:
    """What the choice depends on, besides the options that the user set."""

    training_tokens: int
    vocabulary_size: int
    minutes: float | None
    epochs: float | None
    costs: CostModel = AVERAGE  # of this machine
    start: float = 8.0  # seconds from the start of the run to the end of its first step
    can_drop_recurrent: bool = True  # whether recurrent dropout is available for the cell
    devices: int = 1  # machines or GPUs that share a batch
    precision: str = "float32"  # the fastest one whose loss is not higher than in float32
    sizes: tuple[int, int] | None = None  # batch size and window; None: those of one sequence
    classified: int = 0  # pieces of the training part that have a class; 0: tokens are predicted

    def tokens_seen(self, config: ModelConfig) -> float:
        """The number of tokens that a network sees in the run."""
        if self.minutes is None:
            assert self.epochs is not None
            return self.epochs * self.training_tokens
        seconds = max((1 - SCORING) * (60 * self.minutes - self.start), 1.0)
        cost = self.costs.seconds_per_token(config, self.vocabulary_size)
        return seconds * self.devices / cost


def weights(config: ModelConfig, vocabulary_size: int) -> int:
    """The number of weights of a network, apart from some biases.

    An embedding wider than the size of the vocabulary counts as if it had that width, because its
    rows cannot span more dimensions.

    >>> weights(ModelConfig(units=256, embedding=64), 65)
    349569
    """
    rows = vocabulary_size + BUCKETS * (config.ngrams > 1)
    width = min(config.embedding, rows)
    total = width * rows
    for _ in range(config.layers):
        layer = cells.get(config.cell).gates * config.units * (width + config.units + 1)
        total += config.directions * layer
        width = config.directions * config.units
    return total + (width + 1) * config.output_size(vocabulary_size)


def choose_hyperparameters(
    budget: Budget, explicit_options: Mapping[str, object]
) -> tuple[Json, str]:
    """Choose the options that are not set.

    Args:
        budget: what the choice depends on.
        explicit_options: the options that the user set; the others are chosen to fit them.

    Returns:
        All options, and one line that says which ones were chosen and why; an empty line if none
        were.

    >>> budget = Budget(training_tokens=1_000_000, vocabulary_size=65, minutes=2.75, epochs=None)
    >>> options, why = choose_hyperparameters(budget, {"dropout": 0.1})
    >>> options["layers"], options["dropout"]
    (1, 0.1)
    """
    config = ModelConfig().override(explicit_options)
    if budget.classified and "units" not in explicit_options:
        config = replace(config, units=_units_of_classes(budget, config))
    elif "units" not in explicit_options:
        config = replace(config, units=_units(budget, config))
    if "embedding" not in explicit_options:
        config = replace(config, embedding=_embedding(budget.vocabulary_size, config.units))
    seen = budget.tokens_seen(config)
    batch_size, window = budget.sizes or fitting_size(budget.training_tokens)
    if config.units >= 512 and batch_size == 32:
        batch_size = MAX_BATCH_SIZE
    batch_size = max(batch_size // budget.devices, 1) * budget.devices
    size = weights(config, budget.vocabulary_size)
    regularisation = Regularisation.of_run(size, budget.training_tokens, seen)
    chosen = {
        "units": config.units,
        "layers": config.layers,
        "embedding": config.embedding,
        "batch_size": batch_size,
        "window": window,
        "learning_rate": _rounded(6e-3 * (256 / max(config.units, 256)) ** 0.5),
        **regularisation._asdict(),
        "precision": budget.precision,
    }
    if budget.classified:
        chosen |= _regularisation_of_classes(budget, config)
    if not budget.can_drop_recurrent:
        del chosen["recurrent_dropout"]
    chosen = {name: value for name, value in chosen.items() if name not in explicit_options}
    if not chosen:
        return dict(explicit_options), ""
    words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in chosen.items())
    why = (
        f"chosen: {words}; for {config.cell} with {millions(size)} weights, which will see about "
        f"{millions(seen)} tokens, {seen / budget.training_tokens:.2g} times the corpus"
    )
    return {**explicit_options, **chosen}, why


def _units(budget: Budget, config: ModelConfig) -> int:
    """The largest width for which the run and the corpus are long enough."""
    best = WIDTHS[0]
    for units in WIDTHS:
        config = replace(config, units=units)
        size = weights(config, budget.vocabulary_size)
        enough_time = budget.tokens_seen(config) >= MIN_TOKENS_PER_WEIGHT * size
        if enough_time and size <= MAX_WEIGHTS_PER_TOKEN * budget.training_tokens:
            best = units
    return best


def _units_of_classes(budget: Budget, config: ModelConfig) -> int:
    """The largest width, up to `MOST_UNITS_OF_CLASSES`, that sees the corpus often enough.

    A class has few bits, so that a wide network soon knows those of all pieces by heart.
    """
    best = WIDTHS[0]
    for units in WIDTHS:
        epochs = budget.tokens_seen(replace(config, units=units)) / budget.training_tokens
        if units <= MOST_UNITS_OF_CLASSES and epochs >= MIN_EPOCHS_OF_CLASSES:
            best = units
    return best


def _regularisation_of_classes(budget: Budget, config: ModelConfig) -> Json:
    """Dropout for a network of classes: much where there are few pieces."""
    common = {"recurrent_dropout": 0.0, "weight_decay": 0.05}
    if config.inputs == "numbers":
        return {**common, "dropout": 0.3, "learning_rate": 3e-3}
    if budget.classified < FEW_PIECES:
        return {**common, "dropout": 0.5, "token_dropout": 0.4, "learning_rate": 2e-3}
    if config.ngrams > 1:  # which are soon known by heart
        return {**common, "dropout": 0.3, "token_dropout": 0.1, "learning_rate": 6e-3}
    return {**common, "dropout": 0.05, "token_dropout": 0.0, "learning_rate": 6e-3}


def _embedding(vocabulary_size: int, units: int) -> int:
    """The width of the embedding: that of the layer, within limits.

    For a large vocabulary it is the smallest one, because the time of a step grows with the product
    of both, see `seqgen.network.build`.
    """
    width = min(max(units, MIN_EMBEDDING), MAX_EMBEDDING)
    return width if vocabulary_size <= width else MIN_EMBEDDING


def _rounded(number: float) -> float:
    return float(f"{number:.2g}")


def millions(number: float) -> str:
    """
    >>> millions(1_240_000), millions(9_000)
    ('1.2 million', '9,000')
    """
    return f"{number / 1e6:.2g} million" if number >= 1e6 else f"{number:,.0f}"

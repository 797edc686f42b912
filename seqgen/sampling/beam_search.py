"""Beam search for the most likely outputs (Lowerre 1976; Sutskever et al. 2014).

At every length the `width` most likely outputs are extended by every allowed token, and the `width`
most likely results are kept. Nothing is drawn.
"""

from __future__ import annotations

import copy

import numpy as np

from seqgen.errors import ConfigError
from seqgen.inference.engine import Engine
from seqgen.sampling.decode import DecoderState, GeneratedSequence, gather
from seqgen.sampling.sampler import allow_only, log_probabilities, require_finite
from seqgen.types import Logits


def search(
    engine: Engine,
    state: DecoderState,
    output: GeneratedSequence,
    width: int,
    count: int | None = None,
) -> list[GeneratedSequence]:
    """Up to `count` outputs, the most likely first; stuck outputs only if all outputs are stuck.

    Args:
        engine: the network.
        state: the start, one row.
        output: the output to extend; it is not changed.
        width: number of outputs kept at every length.
        count: number of outputs to return; by default `width`.

    Raises:
        ConfigError: `count` is larger than `width`.

    >>> class Counts:
    ...     def initial_state(self, batch_size): return ()
    ...     def step(self, ids, state): return np.eye(5)[(ids + 1) % 5], state
    ...     def gather_state(self, state, rows): return state
    >>> from seqgen.sampling.config import SampleConfig
    >>> best, second = search(
    ...     Counts(),
    ...     DecoderState(np.eye(5)[[1]], ()),
    ...     GeneratedSequence(SampleConfig(length=3)),
    ...     width=2,
    ... )
    >>> best.ids
    [1, 2, 3]
    """
    count = width if count is None else count
    if count > width:
        raise ConfigError(
            f"count: expected at most {width}, the size of the beam, got {count}; "
            "increase beam, or reduce count"
        )
    growing = [_branch(output)]
    totals: Logits = np.zeros(1)
    whole: list[tuple[float, GeneratedSequence]] = []
    stuck: list[tuple[float, GeneratedSequence]] = []
    while growing:
        require_finite(state.logits)
        scores = log_probabilities(state.logits)
        masks = [candidate.next(scores.shape[1]) for candidate in growing]
        allowed = np.stack([np.ones(scores.shape[1], bool) if m is None else m for m in masks])
        possible = allow_only(scores, allowed) + totals[:, None]
        for row, candidate in enumerate(growing):
            if candidate.is_finished:
                candidate.store_state(gather(engine, state, [row]))
                (stuck if candidate.is_stuck else whole).append((float(totals[row]), candidate))
                possible[row] = -np.inf
        rows, tokens, totals, growing = _best(possible, scores, growing, width)
        whole.sort(key=lambda scored: -scored[0])
        if len(whole) >= width and not (totals > whole[width - 1][0]).any():
            break  # more tokens can only make an output less likely
        if growing:
            before = gather(engine, state, rows)
            state = DecoderState(*engine.step(np.array(tokens), before.state))
    return [found for _, found in (whole or stuck)[:count]]


def _best(
    possible: Logits, scores: Logits, growing: list[GeneratedSequence], width: int
) -> tuple[list[int], list[int], Logits, list[GeneratedSequence]]:
    """The `width` most likely extensions: their rows, tokens, log-probabilities and outputs."""
    order = np.argsort(-possible, axis=None, kind="stable")[:width]
    flat = possible.ravel()[order]
    order, totals = order[flat > -np.inf], flat[flat > -np.inf]
    rows, tokens = (indices.tolist() for indices in np.divmod(order, possible.shape[1]))
    outputs = []
    for row, token in zip(rows, tokens, strict=True):
        output = _branch(growing[row])
        if token != output.end_id:
            output.log_probabilities.append(float(scores[row, token]))
        output.feed(token)
        outputs.append(output)
    return rows, tokens, totals, outputs


def _branch(output: GeneratedSequence) -> GeneratedSequence:
    """An independent copy; random numbers are shared, since nothing is drawn."""
    branch = copy.copy(output)
    branch.ids = output.ids[:]
    branch.log_probabilities = output.log_probabilities[:]
    branch.constraints = copy.deepcopy(output.constraints)
    return branch

"""The likeliest outputs: beam search (Lowerre 1976; Sutskever et al. 2014).

Of all outputs of a length, so many are kept that are likeliest so far; each goes on with every
token that may come, and the likeliest of all of these are kept. Nothing is drawn.
"""

from __future__ import annotations

import copy

import numpy as np

from seqgen.inference.engine import Engine
from seqgen.sampling.decode import DecoderState, GeneratedSequence, streams
from seqgen.sampling.sampler import allow_only, log_probabilities
from seqgen.types import Logits


def search(
    engine: Engine, state: DecoderState, output: GeneratedSequence, width: int
) -> list[GeneratedSequence]:
    """Up to `width` outputs, the likeliest first; dead ends only where there is nothing else.

    Args:
        engine: the network.
        state: where it begins, one row.
        output: what all of them begin as; it is not changed.
        width: how many are kept at each length.

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
    growing = [_branch(output)]
    totals: Logits = np.zeros(1)
    whole: list[tuple[float, GeneratedSequence]] = []
    stuck: list[tuple[float, GeneratedSequence]] = []
    while growing:
        scores = log_probabilities(state.logits)
        masks = [each.next(scores.shape[1]) for each in growing]
        allowed = np.stack([np.ones(scores.shape[1], bool) if m is None else m for m in masks])
        possible = allow_only(scores, allowed) + totals[:, None]
        for row, each in enumerate(growing):
            if each.is_finished:
                each.state = streams(engine, state, [row])
                (stuck if each.is_stuck else whole).append((float(totals[row]), each))
                possible[row] = -np.inf
        rows, tokens, totals, growing = _best(possible, scores, growing, width)
        whole.sort(key=lambda scored: -scored[0])
        if len(whole) >= width and not (totals > whole[width - 1][0]).any():
            break  # what goes on only gets less likely
        if growing:
            before = streams(engine, state, rows)
            state = DecoderState(*engine.step(np.array(tokens), before.state))
    return [each for _, each in (whole or stuck)[:width]]


def _best(
    possible: Logits, scores: Logits, growing: list[GeneratedSequence], width: int
) -> tuple[list[int], list[int], Logits, list[GeneratedSequence]]:
    """The likeliest next steps: of which output, which token, how likely in all, and what comes."""
    order = np.argsort(-possible, axis=None, kind="stable")[:width]
    flat = possible.ravel()[order]
    order, totals = order[flat > -np.inf], flat[flat > -np.inf]
    rows, tokens = (each.tolist() for each in np.divmod(order, possible.shape[1]))
    outputs = []
    for row, token in zip(rows, tokens, strict=True):
        output = _branch(growing[row])
        if token != output.end_id:
            output.log_probabilities.append(float(scores[row, token]))
        output.feed(token)
        outputs.append(output)
    return rows, tokens, totals, outputs


def _branch(output: GeneratedSequence) -> GeneratedSequence:
    """One that goes on from there by itself; nothing is drawn, so the random numbers are shared."""
    branch = copy.copy(output)
    branch.ids = output.ids[:]
    branch.log_probabilities = output.log_probabilities[:]
    branch.constraints = copy.deepcopy(output.constraints)
    return branch

"""What a sequence has had so far: tokens that earlier places of it suggest.

Two kinds of suggestions, each with a confidence:

- the match: with m_t(d) the number of latest tokens that agree with those d places earlier,

      m_t(d) = (m_(t-1)(d) + 1) [x_t = x_(t-d)],  at most `LONGEST`

  the suggestion is x_(t+1-d) for the d with the largest m_t(d), the smallest of these d, and its
  confidence is m_t(d): the longest earlier occurrence of the last tokens predicts the next one;

- one for each of `LAGS`, if the task divides sequences into bars: the token at the same place of
  the bar that many bars earlier. Its confidence is how often this lag has been right in succession.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqgen.types import Ids, Mask

LONGEST = 32  # confidence
LAGS = (1, 2, 4, 8, 16)  # bars
HISTORY = 2048  # tokens in which earlier places are searched
BAR = 1 << 20  # a place is bar * BAR + position * POSITION + index, modulo 2**32
POSITION, MOST_POSITION, MOST_INDEX = 1 << 8, (1 << 12) - 1, (1 << 8) - 1
NO_TOKEN = -1

Numbers = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Bars:
    """How the tokens of a vocabulary move through bars; a task supplies it."""

    ticks: npt.NDArray[np.int32]  # (V,), by which a token moves on within the bar
    starts: Mask  # (V,), whether a token starts the next bar


@dataclass(frozen=True, eq=False)
class Repeats:
    """Finds suggestions in the history of every stream.

    The state is `(B, size)`: how many tokens have been read; the bar, the position and the index
    (tokens since the position changed) of the next token; the suggestions `(J,)`; their confidences
    `(J,)`; and by distance, the latest first, the tokens, their m_t(d), and, with bars, their
    places, `(HISTORY,)` each.

    >>> repeats = Repeats(None, end_id=None)
    >>> state = repeats.initial(1)
    >>> for token in (5, 6, 7, 5, 6): state = repeats.read(state, np.array([token]))
    >>> repeats.suggestions(state).tolist(), repeats.confidences(state).tolist()
    ([[7]], [[2]])
    """

    bars: Bars | None
    end_id: int | None  # after this token nothing is read before

    @property
    def count(self) -> int:
        """The number of suggestions, J."""
        return 1 + (0 if self.bars is None else len(LAGS))

    @property
    def size(self) -> int:
        """Numbers in the state of a stream."""
        return 4 + 2 * self.count + (2 if self.bars is None else 3) * HISTORY

    def initial(self, batch_size: int) -> Numbers:
        """The state before the first token: no suggestions."""
        state = np.zeros((batch_size, self.size), np.int32)
        self.suggestions(state)[:] = NO_TOKEN
        return state

    def suggestions(self, state: Numbers) -> Numbers:
        """The suggested tokens `(B, J)`; `NO_TOKEN` where there is none."""
        return state[:, 4 : 4 + self.count]

    def confidences(self, state: Numbers) -> Numbers:
        """Their confidences `(B, J)`, from 0 to `LONGEST`."""
        return state[:, 4 + self.count : 4 + 2 * self.count]

    def _by_distance(self, state: Numbers, number: int) -> Numbers:
        """The tokens (0), their m_t(d) (1) or their places (2), `(B, HISTORY)`."""
        start = 4 + 2 * self.count + number * HISTORY
        return state[:, start : start + HISTORY]

    def read(self, state: Numbers, ids: Ids) -> Numbers:
        """The state after one more token of each stream, ids `(B,)`."""
        after = np.empty_like(state)
        after[:, :4] = state[:, :4]
        tokens, agreeing = self._by_distance(after, 0), self._by_distance(after, 1)
        tokens[:, 1:], tokens[:, 0] = self._by_distance(state, 0)[:, :-1], ids
        read = np.minimum(state[:, :1] + 1, HISTORY)  # (B, 1)
        after[:, :1] = read
        # Distance d is index d of `tokens`, which now begin with the token that was read.
        same = (tokens == tokens[:, :1]) & (np.arange(HISTORY) < read)
        same[:, 0] = False
        agreeing[:] = np.where(same, np.minimum(self._by_distance(state, 1) + 1, LONGEST), 0)
        best = agreeing.argmax(axis=1)  # the first one of the largest
        rows = np.arange(len(ids))
        longest = agreeing[rows, best]
        suggested, confidence = self.suggestions(after), self.confidences(after)
        suggested[:, 0] = np.where(longest > 0, tokens[rows, best - 1], NO_TOKEN)
        confidence[:, 0] = longest
        if self.bars is not None:
            self._read_bars(self.bars, state, after, ids)
        if self.end_id is not None and (ends := ids == self.end_id).any():
            after[ends] = self.initial(1)
        return after

    def _read_bars(self, bars: Bars, state: Numbers, after: Numbers, ids: Ids) -> None:
        before, right = self.suggestions(state)[:, 1:], self.confidences(state)[:, 1:]
        rises = np.minimum(right + 1, LONGEST)
        run = np.where(before == NO_TOKEN, right, np.where(before == ids[:, None], rises, 0))
        self.confidences(after)[:, 1:] = run
        places = self._by_distance(after, 2)
        places[:, 1:] = self._by_distance(state, 2)[:, :-1]
        places[:, 0] = self._place(state)
        starts, ticks = bars.starts[ids], bars.ticks[ids]
        bar, position, index = state[:, 1], state[:, 2], state[:, 3]
        stays = ~starts & (ticks == 0)
        after[:, 1] = bar + starts
        after[:, 2] = np.where(starts, 0, np.minimum(position + ticks, MOST_POSITION))
        after[:, 3] = np.where(stays, np.minimum(index + 1, MOST_INDEX), 0)
        here, rows = self._place(after), np.arange(len(ids))
        known = np.arange(HISTORY) < after[:, :1]
        for j, lag in enumerate(LAGS, 1):
            found = (places == (here - np.int32(lag * BAR))[:, None]) & known
            first = found.argmax(axis=1)
            token = self._by_distance(after, 0)[rows, first]
            self.suggestions(after)[:, j] = np.where(found[rows, first], token, NO_TOKEN)

    def _place(self, state: Numbers) -> Numbers:
        """The place `(B,)` of the next token."""
        bar, position, index = state[:, 1], state[:, 2], state[:, 3]
        return np.asarray(bar * np.int32(BAR) + position * np.int32(POSITION) + index)

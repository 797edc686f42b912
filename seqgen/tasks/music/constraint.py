"""A grammar of music as a constraint of decoding."""

from __future__ import annotations

from seqgen.music.tokens.bar_grammar import BarGrammar
from seqgen.types import Mask


class GrammarConstraint:
    """Allows the tokens that a grammar allows, and the end token where a piece may end.

    Args:
        grammar: the grammar of the piece.
        end_id: the end token, if the vocabulary has one.
    """

    def __init__(self, grammar: BarGrammar, end_id: int | None) -> None:
        self.grammar = grammar
        self.end_id = end_id

    @property
    def is_finished(self) -> bool:
        """Whether all requested bars are complete."""
        return self.grammar.is_finished

    def allowed(self) -> Mask:
        """Which tokens `(V,)` may come next."""
        mask = self.grammar.allowed()
        if self.end_id is not None and self.grammar.may_end:
            mask = mask.copy()
            mask[self.end_id] = True
        return mask

    def feed(self, token_id: int) -> None:
        """Read the next token."""
        self.grammar.feed(token_id)

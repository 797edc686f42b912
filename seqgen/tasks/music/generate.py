"""A model of music → new pieces: what was asked for, the rules, and back from tokens to notes."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seqgen.copying import report as copy_report
from seqgen.copying.guard import guards
from seqgen.copying.index import CopyIndex
from seqgen.errors import ConfigError, MusicError
from seqgen.inference.engine import Engine
from seqgen.music.piece import Note, Piece
from seqgen.music.tokens.melody_grammar import MelodyRules
from seqgen.music.tokens.polyphony_grammar import PolyphonyRules
from seqgen.sampling import beam_search, decode
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.decode import DecoderState, GeneratedSequence
from seqgen.sampling.sampler import Sampler, log_probabilities
from seqgen.tasks.music.conditioning import Conditioning
from seqgen.tasks.music.copying import StepCodes
from seqgen.tasks.music.request import MusicRequest
from seqgen.types import Mask
from seqgen.vocabulary import END, Vocabulary

MOST_TOKENS = 20_000  # of a piece whose bars nobody counted
CLOSING_BARS = 4  # the last bars of a piece, for which there are several candidates
CANDIDATES = 32  # of which the one is chosen after which the piece most likely ends


class Grammar:
    """The rules of a codec as a constraint, and where the end token may come."""

    def __init__(self, rules: MelodyRules | PolyphonyRules, end_id: int | None) -> None:
        self.rules = rules
        self.end_id = end_id

    @property
    def is_finished(self) -> bool:
        """Whether all that was wanted is written."""
        return self.rules.is_finished

    def allowed(self) -> Mask:
        """Which tokens `(V,)` may come next."""
        mask = self.rules.allowed()
        if self.end_id is not None and self.rules.may_end:
            mask = mask.copy()
            mask[self.end_id] = True
        return mask

    def feed(self, token_id: int) -> None:
        """A token has come."""
        self.rules.feed(token_id)


@dataclass
class Composition:
    """A new piece, and how it came about."""

    piece: Piece
    tokens: list[str]  # after the primer
    log_probabilities: list[float]  # of each token, if that was asked for
    longest_copy: int | None  # notes that stand in the corpus; 0: none to speak of; None: no index


@dataclass
class _Growing:
    """A piece that is being written."""

    wishes: MusicRequest
    shift: int  # semitones by which the model's music lies higher
    constraints: list[Any]  # its grammar, then guards
    config: SampleConfig
    item: int
    scored: bool
    output: GeneratedSequence | None = None  # without the closing bars

    @property
    def rules(self) -> MelodyRules | PolyphonyRules:
        rules: MelodyRules | PolyphonyRules = self.constraints[0].rules
        return rules


class MusicGenerator:
    """Writes pieces with a trained network.

    Args:
        engine: the network.
        vocabulary: its tokens.
        corpus: what the model file tells of its corpus, `Corpus.metadata`.
        indexes: of what it was trained on.
    """

    def __init__(
        self,
        engine: Engine,
        vocabulary: Vocabulary,
        corpus: Mapping[str, Any],
        indexes: Sequence[CopyIndex] = (),
    ) -> None:
        self.engine = engine
        self.vocabulary = vocabulary
        self.indexes = indexes
        self.wished = Conditioning(vocabulary, corpus)
        self.codec = self.wished.codec
        self.codes = StepCodes(vocabulary)

    def compose(
        self, wishes: MusicRequest, config: SampleConfig, *, count: int = 1, scored: bool = False
    ) -> Iterator[Composition]:
        """New pieces.

        Args:
            wishes: what is requested of them.
            config: how tokens are drawn; its `length` is not looked at.
            count: how many; a piece is the same however many there are.
            scored: keep how likely the model found each token.

        Raises:
            VocabularyError: a key, a meter or a primer that the model has never seen.
            MusicError: there is no note that fits both range and key.
            ConfigError: options that exclude each other.
        """
        whole = replace(config, length=MOST_TOKENS if wishes.bars is None else 10**9)
        primer_tokens, shift = self.wished.primer_tokens(wishes)
        prompt = self.vocabulary.encode([END, *primer_tokens])
        place = decode.read(self.engine, prompt)

        def begin(item: int) -> _Growing:
            wished = wishes
            if self.wished.is_in_c and wishes.key is None and wishes.primer is None:
                wished = replace(wishes, key=self.wished.drawn_key(config.seed, item))
            moved = shift if primer_tokens else self.wished.shift(wished.key)
            rules = self.wished.rules(
                wished, [] if primer_tokens else self.wished.header(wished, moved), moved
            )
            for token in prompt[1:]:
                rules.feed(int(token))
            if primer_tokens:
                rules.bars.begin_counting()
            copy_guards = guards(self.indexes, self.codes, config, prompt, self.vocabulary.end_id)
            grammar = Grammar(rules, self.vocabulary.end_id)
            return _Growing(wished, moved, [grammar, *copy_guards], whole, item, scored)

        if config.beam is not None:
            yield from self._likeliest(begin(0), place, primer_tokens, config.beam, count)
            return
        sampler = Sampler(config)
        for items, rows in decode.batches(count, self.engine):
            pieces = [begin(item) for item in items]
            self._generate_up_to_the_close(pieces, place, rows, sampler, primer_tokens)
            for each in pieces:
                tokens, scores = self._closed(each, place, sampler, primer_tokens)
                yield self._composition(each, primer_tokens, tokens, scores)

    def _generate_up_to_the_close(
        self,
        pieces: Sequence[_Growing],
        place: DecoderState,
        rows: int,
        sampler: Sampler,
        primer_tokens: Sequence[str],
    ) -> None:
        """Side by side, up to the last few bars."""
        bars = pieces[0].wishes.bars
        if bars is None or bars <= CLOSING_BARS:
            return
        outputs = []
        for each in pieces:
            each.rules.bars.wanted = bars - CLOSING_BARS
            each.output = self._output(each)
            outputs.append(each.output)
        spread = decode.streams(self.engine, place, [0] * rows)
        self._grow(outputs, spread, sampler, primer_tokens)
        for each in pieces:
            each.rules.bars.wanted = bars

    def _closed(
        self, piece: _Growing, place: DecoderState, sampler: Sampler, primer_tokens: Sequence[str]
    ) -> tuple[list[int], list[float]]:
        """All tokens of a piece, with the best of several candidates for its close."""
        before = piece.output
        if before is not None and before.state is not None:
            place = before.state
        candidates = CANDIDATES if piece.wishes.bars is not None else 1
        outputs = [self._output(piece, i) for i in range(1, 1 + candidates)]
        spread = decode.streams(self.engine, place, [0] * candidates)
        self._grow(outputs, spread, sampler, primer_tokens, before.ids if before else ())
        alive = [each for each in outputs if not each.is_stuck]
        ids = [*self.vocabulary.encode(primer_tokens).tolist(), *(before.ids if before else ())]
        best = max(alive, key=lambda each: self._ending(each, ids), default=None)
        if best is None or (before is not None and before.is_stuck):
            raise _nothing_left()
        if before is None:
            return best.ids, best.log_probabilities
        return before.ids + best.ids, before.log_probabilities + best.log_probabilities

    def _output(self, piece: _Growing, candidate: int = 0) -> GeneratedSequence:
        return GeneratedSequence(
            piece.config,
            piece.item + (candidate << 32),
            end_id=self.vocabulary.end_id,
            may_be_empty=False,
            constraints=copy.deepcopy(piece.constraints) if candidate else piece.constraints,
            scored=piece.scored,
        )

    def _grow(
        self,
        outputs: Sequence[GeneratedSequence],
        place: DecoderState,
        sampler: Sampler,
        primer_tokens: Sequence[str],
        before: Sequence[int] = (),
    ) -> None:
        prompt = [*self.vocabulary.encode(primer_tokens).tolist(), *before]
        grown = decode.generate(self.engine, place, sampler, outputs, prompt, drawn=len(before))
        for _ in grown:
            pass

    def _likeliest(
        self,
        piece: _Growing,
        place: DecoderState,
        primer_tokens: Sequence[str],
        width: int,
        count: int,
    ) -> Iterator[Composition]:
        if count > width:
            raise ConfigError(
                f"count: expected at most the beam's {width}, got {count}; a beam keeps that many"
            )
        for output in beam_search.search(self.engine, place, self._output(piece), width)[:count]:
            if output.is_stuck:
                raise _nothing_left()
            yield self._composition(piece, primer_tokens, output.ids, output.log_probabilities)

    def _composition(
        self, piece: _Growing, primer_tokens: Sequence[str], ids: list[int], scores: list[float]
    ) -> Composition:
        tokens = self.vocabulary.decode(ids)
        made = self.codec.decode([*primer_tokens, *tokens]).transposed(-piece.shift)
        if piece.wishes.primer is not None and not piece.wishes.echo:
            made = _behind(made, self.codec.decode(primer_tokens).length)
        whole = np.array([*self.vocabulary.encode(primer_tokens), *ids], int)
        longest = copy_report.longest_copy(self.indexes, self.codes, whole)
        return Composition(self.wished.finished(made, piece.wishes), tokens, scores, longest)

    def _ending(self, output: GeneratedSequence, before: Sequence[int]) -> float:
        """The logarithm of how likely a piece ends after it, for the model, and in its key."""
        assert output.state is not None
        tokens = self.vocabulary.decode([*before, *output.ids])
        likely = float(log_probabilities(output.state.logits)[0, self.vocabulary.end_id])
        return likely + self.wished.closing(self.codec.decode(tokens))


def _nothing_left() -> MusicError:
    return MusicError(
        "max_copy: every note that may come would go on with a copy; allow a longer one, or a "
        "wider range"
    )


def _behind(piece: Piece, start: int) -> Piece:
    """What begins at that tick or later; meter and key go on."""
    parts = tuple(
        replace(
            part,
            notes=tuple(Note(n.start - start, *n[1:]) for n in part.notes if n.start >= start),
        )
        for part in piece.parts
    )
    bars = (0, *(bar - start for bar in piece.bars if bar > start))

    def later(changes: Iterable[tuple[int, Any]]) -> tuple[tuple[int, Any], ...]:
        moved = {max(tick - start, 0): value for tick, value in sorted(changes)}
        return tuple(moved.items())

    return Piece(parts, bars, piece.length - start, later(piece.meters), later(piece.keys))

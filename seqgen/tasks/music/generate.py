"""A trained network → new pieces.

A piece of a requested number of bars is generated in two stages, so that it ends well: all bars but
the last four, and then 32 candidates for the last four. The one with the highest score is used,

    score = log p(end token | piece) + log p(final degree | mode)

with p(end token) from the network and p(final degree) from the counts of the corpus.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqgen.copying import report as copy_report
from seqgen.copying.guard import guards
from seqgen.copying.index import CopyIndex
from seqgen.errors import MusicError
from seqgen.inference.engine import Engine
from seqgen.music import excerpts
from seqgen.music.piece import Piece
from seqgen.music.tokens.bar_grammar import BarGrammar
from seqgen.sampling import beam_search, decode
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.decode import Constraint, DecoderState, GeneratedSequence
from seqgen.sampling.sampler import Sampler, log_probabilities
from seqgen.tasks.base import Metadata
from seqgen.tasks.music.conditioning import Conditioning
from seqgen.tasks.music.constraint import GrammarConstraint
from seqgen.tasks.music.copying import StepCodes
from seqgen.tasks.music.request import MusicRequest
from seqgen.types import Ids
from seqgen.vocabulary import END, Vocabulary

MAX_TOKENS = 20_000  # of a piece without a requested number of bars
NO_LIMIT = 10**9
FINAL_BARS = 4  # bars for which there are several candidates
CANDIDATES = 32


@dataclass
class Composition:
    """A new piece, and how it was generated."""

    piece: Piece
    tokens: list[str]  # without those of the primer
    log_probabilities: list[float]  # one for each token, if they were requested
    longest_copy: int | None  # notes of the longest run from the corpus; None without an index


@dataclass(frozen=True)
class _Primer:
    """The prompt that all pieces of one request continue."""

    tokens: list[str]
    prompt: Ids  # the end token and the primer, `(N,)`
    shift: int  # semitones by which the tokens are higher than the request
    state: DecoderState  # after the prompt

    @property
    def ids(self) -> list[int]:
        """The primer without the end token."""
        ids: list[int] = self.prompt.tolist()[1:]
        return ids


@dataclass
class _Draft:
    """A piece while it is generated."""

    request: MusicRequest
    primer: _Primer
    shift: int  # semitones by which the tokens are higher than the request
    grammar: BarGrammar
    constraints: list[Constraint]
    config: SampleConfig
    item: int
    scored: bool
    beginning: GeneratedSequence | None = None  # all but the final bars, if it has more than those

    @property
    def bars(self) -> int | None:
        return self.request.bars


class MusicGenerator:
    """Generates pieces with a trained network.

    Args:
        engine: the network.
        vocabulary: its tokens.
        metadata: of the corpus that it was trained on, `Corpus.metadata`.
        indexes: of the corpora that it was trained on, to find copies.
    """

    def __init__(
        self,
        engine: Engine,
        vocabulary: Vocabulary,
        metadata: Metadata,
        indexes: Sequence[CopyIndex] = (),
    ) -> None:
        self.engine = engine
        self.vocabulary = vocabulary
        self.indexes = indexes
        self.conditioning = Conditioning(vocabulary, metadata)
        self.codec = self.conditioning.codec
        self.codes = StepCodes(vocabulary)

    def compose(
        self, request: MusicRequest, config: SampleConfig, *, count: int = 1, scored: bool = False
    ) -> Iterator[Composition]:
        """Yield new pieces.

        Args:
            request: what the pieces have in common.
            config: how tokens are sampled; its `length` is ignored.
            count: number of pieces. A piece does not depend on the number of pieces.
            scored: store the log-probability of every token.

        Raises:
            VocabularyError: the model does not know the key, the meter or the primer.
            MusicError: no note is in both range and key, or `max_copy` leaves no note.
            ConfigError: options exclude each other.
        """
        primer = self._read_primer(request)
        if config.beam is not None:
            draft = self._begin(0, request, primer, config, scored)
            yield from self._beam_search(draft, config.beam, count)
            return
        sampler = Sampler(config)
        for items, rows in decode.batches(count, self.engine):
            drafts = [self._begin(item, request, primer, config, scored) for item in items]
            self._generate_beginnings(drafts, rows, sampler)
            for draft in drafts:
                yield self._composition(draft, *self._with_final_bars(draft, sampler))

    def _read_primer(self, request: MusicRequest) -> _Primer:
        tokens, shift = self.conditioning.primer_tokens(request)
        prompt = self.vocabulary.encode([END, *tokens])
        return _Primer(tokens, prompt, shift, decode.read(self.engine, prompt))

    def _begin(
        self, item: int, request: MusicRequest, primer: _Primer, config: SampleConfig, scored: bool
    ) -> _Draft:
        shift, header = primer.shift, []
        if not primer.tokens:
            if self.conditioning.is_in_c and request.key is None:
                request = replace(request, key=self.conditioning.drawn_key(config.seed, item))
            shift = self.conditioning.shift(request.key)
            header = self.conditioning.header(request, shift)
        grammar = self.conditioning.grammar(request, header, shift)
        for token_id in primer.ids:
            grammar.feed(token_id)
        if primer.tokens:
            grammar.bars.begin_counting()
        constraint = GrammarConstraint(grammar, self.vocabulary.end_id)
        config = replace(config, length=MAX_TOKENS if request.bars is None else NO_LIMIT)
        copy_guards = guards(
            self.indexes, self.codes, config, primer.prompt, self.vocabulary.end_id
        )
        return _Draft(
            request, primer, shift, grammar, [constraint, *copy_guards], config, item, scored
        )

    def _generate_beginnings(self, drafts: Sequence[_Draft], rows: int, sampler: Sampler) -> None:
        """Generate all but the final bars of several drafts at once."""
        first = drafts[0]
        if first.bars is None or first.bars <= FINAL_BARS:
            return
        outputs = []
        for draft in drafts:
            draft.grammar.bars.wanted = first.bars - FINAL_BARS
            draft.beginning = self._output(draft)
            outputs.append(draft.beginning)
        self._generate(outputs, first.primer.state, rows, sampler, first.primer.ids)
        for draft in drafts:
            draft.grammar.bars.wanted = first.bars

    def _with_final_bars(self, draft: _Draft, sampler: Sampler) -> tuple[list[int], list[float]]:
        """Return the ids and log-probabilities of a draft with its best final bars."""
        state, ids, scores = draft.primer.state, [], []
        if draft.beginning is not None:
            if draft.beginning.is_stuck:
                raise _no_note_left(draft.config)
            assert draft.beginning.state is not None
            state = draft.beginning.state
            ids, scores = draft.beginning.ids, draft.beginning.log_probabilities
        count = CANDIDATES if draft.bars is not None else 1
        candidates = [self._output(draft, number) for number in range(1, count + 1)]
        self._generate(candidates, state, count, sampler, draft.primer.ids, ids)
        previous = [*draft.primer.ids, *ids]
        best = max(
            (candidate for candidate in candidates if not candidate.is_stuck),
            key=lambda candidate: self._ending_score(candidate, previous),
            default=None,
        )
        if best is None:
            raise _no_note_left(draft.config)
        return ids + best.ids, scores + best.log_probabilities

    def _output(self, draft: _Draft, candidate: int = 0) -> GeneratedSequence:
        """Return a sequence for the beginning of a draft (0), or for a candidate (from 1)."""
        return GeneratedSequence(
            draft.config,
            draft.item + (candidate << 32),
            end_id=self.vocabulary.end_id,
            may_be_empty=False,
            constraints=copy.deepcopy(draft.constraints) if candidate else draft.constraints,
            scored=draft.scored,
        )

    def _generate(
        self,
        outputs: Sequence[GeneratedSequence],
        state: DecoderState,
        rows: int,
        sampler: Sampler,
        primer: Sequence[int],
        beginning: Sequence[int] = (),
    ) -> None:
        """Generate outputs to their ends, all from the same state, in a batch of `rows`."""
        states = decode.gather(self.engine, state, [0] * rows)
        prompt = [*primer, *beginning]
        for _ in decode.generate(
            self.engine, states, sampler, outputs, prompt, drawn=len(beginning)
        ):
            pass

    def _beam_search(self, draft: _Draft, width: int, count: int) -> Iterator[Composition]:
        output, state = self._output(draft), draft.primer.state
        for found in beam_search.search(self.engine, state, output, width, count):
            if found.is_stuck:
                raise _no_note_left(draft.config)
            yield self._composition(draft, found.ids, found.log_probabilities)

    def _composition(self, draft: _Draft, ids: list[int], scores: list[float]) -> Composition:
        """Decode a draft and transpose it to the requested key."""
        request, primer = draft.request, draft.primer
        tokens = self.vocabulary.decode(ids)
        piece = self.codec.decode([*primer.tokens, *tokens]).transposed(-draft.shift)
        if request.primer is not None and not request.echo:
            piece = excerpts.after(piece, self.codec.decode(primer.tokens).length)
        whole = np.array([*primer.ids, *ids], int)
        longest = copy_report.longest_copy(self.indexes, self.codes, whole)
        return Composition(self.conditioning.finished(piece, request), tokens, scores, longest)

    def _ending_score(self, output: GeneratedSequence, previous: Sequence[int]) -> float:
        """Return the score of final bars, see the top of this file."""
        assert output.state is not None
        end = float(log_probabilities(output.state.logits)[0, self.vocabulary.end_id])
        piece = self.codec.decode(self.vocabulary.decode([*previous, *output.ids]))
        return end + self.conditioning.final_degree_score(piece)


def _no_note_left(config: SampleConfig) -> MusicError:
    if config.max_copy is None:
        return MusicError(
            "the model's tokens cannot fill a bar; choose another meter, or train the model again"
        )
    return MusicError(
        "max_copy: every possible next note would continue a copy; allow longer copies, or a "
        "wider range"
    )

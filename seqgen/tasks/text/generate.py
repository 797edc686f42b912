"""A model of text → new texts: prompts, what may be written, and where it stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from seqgen.copying import report as copy_report
from seqgen.copying.codes import CopyCodes, TokenCodes
from seqgen.copying.guard import guards
from seqgen.copying.index import CopyIndex
from seqgen.errors import ConfigError
from seqgen.inference.engine import Engine
from seqgen.sampling import beam_search, decode
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.constraints import BannedTokens, StopSequence
from seqgen.sampling.decode import Constraint, GeneratedSequence
from seqgen.sampling.sampler import Sampler
from seqgen.tasks.text.prompt import encode_prompt, require_known
from seqgen.types import Ids
from seqgen.vocabulary import END, UNKNOWN, Vocabulary

UNIT = "characters"  # that copies are counted in


class TextStream:
    """A text that is written while it is read: iterating gives its prompt, then new characters.

    Args:
        prompt: what it begins with.
        prompt_ids: that as ids `(T,)`, as the network was told.
        output: the ids after it.
        vocabulary: what they stand for.
        indexes: of what the model was trained on.
        codes: how copies of text are counted.
        held_back: how many of the last may turn out to be the stop text.
        write_on: draws the next character, and says whether there is none any more.
    """

    def __init__(
        self,
        prompt: str,
        prompt_ids: Ids,
        output: GeneratedSequence,
        vocabulary: Vocabulary,
        indexes: Sequence[CopyIndex],
        codes: CopyCodes,
        held_back: int,
        write_on: Callable[[], object],
    ) -> None:
        self.prompt = prompt
        self.prompt_ids = prompt_ids
        self.output = output
        self.vocabulary = vocabulary
        self.indexes = indexes
        self.codes = codes
        self.held_back = held_back
        self.write_on = write_on

    def __iter__(self) -> Iterator[str]:
        if self.prompt:
            yield self.prompt
        written = 0
        while not self.output.is_finished:
            ready = len(self.output.ids) - self.held_back
            if written < ready:
                yield self.vocabulary.tokens[self.output.ids[written]]
                written += 1
            elif self.write_on():
                break  # Ctrl-C ended the writing in the middle of a step
        yield from self.tokens[written:]

    @property
    def stopped(self) -> bool:
        """Whether the stop text came."""
        return any(isinstance(c, StopSequence) and c.is_finished for c in self.output.constraints)

    @property
    def tokens(self) -> list[str]:
        """The new characters so far, without the stop text."""
        end = len(self.output.ids) - (self.held_back if self.stopped else 0)
        return [self.vocabulary.tokens[token] for token in self.output.ids[:end]]

    @property
    def ids(self) -> Ids:
        """The prompt and what follows it, `(N,)`."""
        return np.concatenate((self.prompt_ids, self.output.ids[: len(self.tokens)])).astype(int)

    @property
    def longest_copy(self) -> int | None:
        """The longest run of it that stands in the corpus; 0: none to speak of; None: no index."""
        return copy_report.longest_copy(self.indexes, self.codes, self.ids)

    @property
    def log_probabilities(self) -> list[float]:
        """How likely the model found each of them, if that was asked for."""
        return self.output.log_probabilities[: len(self.tokens)]


class TextGenerator:
    """Writes texts with a trained network.

    Args:
        engine: the network.
        vocabulary: its characters.
        indexes: of what it was trained on.
    """

    def __init__(
        self, engine: Engine, vocabulary: Vocabulary, indexes: Sequence[CopyIndex] = ()
    ) -> None:
        self.engine = engine
        self.vocabulary = vocabulary
        self.indexes = indexes
        self.codes = TokenCodes(vocabulary, UNIT)

    def write(
        self,
        prompt: str,
        config: SampleConfig,
        *,
        count: int = 1,
        stop: str = "",
        ban: str = "",
        allow: str = "",
        skip_unknown: bool = False,
        scored: bool = False,
    ) -> list[TextStream]:
        """Texts that are written when they are read, side by side.

        Args:
            prompt: what each begins with.
            config: how characters are drawn; with `beam`, the likeliest texts.
            count: how many; a text is the same however many there are.
            stop: a text ends before it.
            ban: characters that are never written.
            allow: only these are written.
            skip_unknown: drop characters of the prompt that the model has never seen.
            scored: keep how likely the model found each character.

        Raises:
            VocabularyError: characters of prompt, stop or allow that the model has never seen.
            ConfigError: options that exclude each other.
        """
        prompt, ids = encode_prompt(self.vocabulary, prompt, skip_unknown=skip_unknown)
        require_known(self.vocabulary, "the stop text", stop, "it would never be written")
        require_known(self.vocabulary, "allow", allow)
        banned = self._banned(ban, allow)
        if never := [each for each in stop if self.vocabulary.ids[each] in banned]:
            raise ConfigError(
                f"stop: expected a text that may be written, got {stop!r}, whose {never[0]!r} is "
                "banned; it would never come"
            )
        if config.beam is not None and count > config.beam:
            raise ConfigError(
                f"count: expected at most the beam's {config.beam}, got {count}; "
                "a beam keeps that many texts"
            )

        def output(item: int) -> GeneratedSequence:
            constraints: list[Constraint] = []
            if banned:
                constraints.append(BannedTokens(len(self.vocabulary), banned))
            if stop:
                constraints.append(StopSequence(self.vocabulary.encode(stop).tolist()))
            constraints += guards(self.indexes, self.codes, config, ids, self.vocabulary.end_id)
            return GeneratedSequence(
                config,
                item,
                end_id=self.vocabulary.end_id,
                may_be_empty=bool(prompt),
                constraints=constraints,
                scored=scored,
            )

        def written(output: GeneratedSequence, write_on: Callable[[], object]) -> TextStream:
            parts = output, self.vocabulary, self.indexes, self.codes, len(stop)
            return TextStream(prompt, ids, *parts, write_on)

        place = decode.read(self.engine, ids)
        if config.beam is not None:
            found = beam_search.search(self.engine, place, output(0), config.beam)[:count]
            return [written(each, lambda: True) for each in found]
        texts = []
        sampler = Sampler(config)
        recent = [int(token) for token in ids if token != self.vocabulary.end_id]
        for items, rows in decode.batches(count, self.engine):
            outputs = [output(item) for item in items]
            spread = decode.streams(self.engine, place, [0] * rows)
            growing = decode.generate(self.engine, spread, sampler, outputs, recent)
            write_on = partial(next, growing, True)
            texts += [written(each, write_on) for each in outputs]
        return texts

    def _banned(self, ban: str, allow: str) -> list[int]:
        """The ids that are never written."""
        characters = {*self.vocabulary.tokens} - {END, UNKNOWN}
        left = (characters & {*allow} if allow else characters) - {*ban}
        if not left:
            raise ConfigError("ban: expected that some character may still be written, got none")
        ids = self.vocabulary.ids
        return sorted(ids[token] for token in ids.keys() - left - {END})


def report(texts: Sequence[TextStream]) -> list[str]:
    """What a person wants to know of finished texts, besides what is in them."""
    indexes, codes, end_id = texts[0].indexes, texts[0].codes, texts[0].vocabulary.end_id
    lines = copy_report.report(indexes, codes, [each.longest_copy for each in texts])
    if indexes and end_id is not None:
        whole = sum(
            copy_report.is_whole_piece(indexes, codes, each.ids[1:], end_id)
            for each in texts
            if not each.stopped
        )
        lines.append(f"lines that stand in the corpus as they are: {whole} of {len(texts)}")
    stuck = sum(each.output.is_stuck for each in texts)
    if stuck:
        lines.append(f"{stuck} of {len(texts)} texts end early: every character that may follow "
                     "would go on with a copy")  # fmt: skip
    return lines

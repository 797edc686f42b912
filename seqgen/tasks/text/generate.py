"""Generation of texts with a trained model: prompt, constraints, and a stream of characters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from seqgen.copying import report as copy_report
from seqgen.copying.codes import CopyCodes, TokenCodes
from seqgen.copying.guard import guards
from seqgen.copying.index import CopyIndex
from seqgen.errors import ConfigError
from seqgen.inference.engine import Engine
from seqgen.mixing.engine import with_strength
from seqgen.sampling import beam_search, decode
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.constraints import BannedTokens, StopSequence
from seqgen.sampling.decode import Constraint, GeneratedSequence
from seqgen.sampling.sampler import Sampler
from seqgen.tasks.sampling_options import sample_config
from seqgen.tasks.text.prompt import encode_prompt, require_known
from seqgen.types import Ids
from seqgen.vocabulary import END, UNKNOWN, Vocabulary

UNIT = "characters"  # in which copies are counted
DEFAULT_LENGTH = 500  # characters of a text
LONGEST_LINE = 10_000  # characters of a text, if the model is one of lines
NO_IDS: Ids = np.empty(0, np.int64)

Advance = Callable[[], object]  # generates the next character; true if there is none
# Config, ids of the prompt and outputs → for every output, how its next character is generated.
Run = Callable[[SampleConfig, Ids, Sequence[GeneratedSequence]], list[Advance]]


@dataclass(eq=False)
class TextStream:
    """A text that is generated while it is read: iteration yields the prompt, then characters.

    The last characters are held back as long as they may be the beginning of the stop text.
    """

    prompt: str
    prompt_ids: Ids  # (T,), as fed to the network
    output: GeneratedSequence  # the ids after the prompt
    vocabulary: Vocabulary
    indexes: Sequence[CopyIndex]  # of the training corpora
    codes: CopyCodes
    advance: Advance

    def __iter__(self) -> Iterator[str]:
        if self.prompt:
            yield self.prompt
        yielded, held_back = 0, max((len(stop.ids) for stop in self._stops), default=0)
        while not self.output.is_finished:
            if yielded < len(self.output.ids) - held_back:
                yield self.vocabulary.tokens[self.output.ids[yielded]]
                yielded += 1
            elif self.advance():
                break  # Ctrl-C ended the generator in the middle of a step
        yield from self.tokens[yielded:]

    @property
    def _stops(self) -> list[StopSequence]:
        return [each for each in self.output.constraints if isinstance(each, StopSequence)]

    @property
    def stopped(self) -> bool:
        """Whether the text ended at a stop text."""
        return any(stop.is_finished for stop in self._stops)

    @property
    def tokens(self) -> list[str]:
        """The characters generated so far, without the stop text."""
        stop = max((len(each.ids) for each in self._stops if each.is_finished), default=0)
        return self.vocabulary.decode(self.output.ids[: len(self.output.ids) - stop])

    @property
    def final_count(self) -> int:
        """The number of `tokens` that no stop text can take back any more."""
        stops = [s for s in self._stops if s.is_finished or not self.output.is_finished]
        return max(len(self.output.ids) - max((len(stop.ids) for stop in stops), default=0), 0)

    @property
    def ids(self) -> Ids:
        """The ids `(N,)` of the prompt and the generated characters."""
        return np.concatenate((self.prompt_ids, self.output.ids[: len(self.tokens)])).astype(int)

    @property
    def longest_copy(self) -> int | None:
        """Characters of the longest run copied from the corpus, see `copying.report`."""
        return copy_report.longest_copy(self.indexes, self.codes, self.ids)

    @property
    def log_probabilities(self) -> list[float]:
        """The log-probability of every generated character; empty unless `scored`."""
        return self.output.log_probabilities[: len(self.tokens)]


class TextGenerator:
    """Generates texts with a trained network.

    Args:
        engine: the network.
        vocabulary: its characters.
        indexes: of the training corpora, to detect copies.
        context: ids that the network reads before the prompt.
        run: begins to generate outputs; by default each call has batches of its own. Beam searches
            do not use it.
    """

    def __init__(
        self,
        engine: Engine,
        vocabulary: Vocabulary,
        indexes: Sequence[CopyIndex] = (),
        context: Ids = NO_IDS,
        run: Run | None = None,
    ) -> None:
        self.engine = engine
        self._run = run or self._sample
        self.vocabulary = vocabulary
        self.indexes = indexes
        self.context = context
        self.codes = TokenCodes(vocabulary, UNIT)

    def texts(
        self,
        count: int = 1,
        *,
        prompt: str = "",
        length: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
        stop: str | Sequence[str] = "",
        ban: str = "",
        allow: str = "",
        skip_unknown: bool = False,
        scored: bool = False,
        **sampling: object,
    ) -> list[TextStream]:
        """Return texts that are generated, in one batch, while they are read.

        Args:
            count: number of texts. A text does not depend on the number of texts.
            prompt: the beginning of every text.
            length: number of new characters, 500 by default; a model of lines stops at the end of
                the line, or after 10,000.
            temperature: 0 always chooses the most likely character, 1 samples from the model's
                distribution; 0.8 by default.
            seed: the same seed gives the same texts on the same machine.
            stop: every text ends before this text, or before the first of several.
            ban: characters that are never generated.
            allow: if not empty, only these characters are generated.
            skip_unknown: drop characters of the prompt that are not in the vocabulary.
            scored: store the log-probability of every character.
            sampling: the other fields of `SampleConfig`: `top_k`, `top_p`, `min_p`, `beam` …

        Raises:
            VocabularyError: the prompt, `stop` or `allow` has characters that are not in the
                vocabulary.
            ConfigError: an option is out of range, or options exclude each other.
        """
        if length is None:
            length = DEFAULT_LENGTH if self.vocabulary.end_id is None else LONGEST_LINE
        config = sample_config(length, temperature, seed, sampling)
        prompt, ids = encode_prompt(self.vocabulary, prompt, skip_unknown=skip_unknown)
        require_known(self.vocabulary, "allow", allow)
        banned = self._banned(ban, allow)
        stops = [text for text in ([stop] if isinstance(stop, str) else stop) if text]
        for text in stops:
            require_known(self.vocabulary, "the stop text", text, "it would never be generated")
            self._require_reachable(text, banned)

        def new_output(item: int) -> GeneratedSequence:
            return GeneratedSequence(
                config,
                item,
                end_id=self.vocabulary.end_id,
                may_be_empty=bool(prompt),
                constraints=self._constraints(config, ids, stops, banned),
                scored=scored,
            )

        if config.beam is None:
            outputs = [new_output(item) for item in range(count)]
            advances = self._run(config, ids, outputs)
        else:
            engine = with_strength(self.engine, config.repeat_strength)
            state = decode.read(engine, np.concatenate((self.context, ids)))
            outputs = beam_search.search(engine, state, new_output(0), config.beam, count)
            advances = [lambda: True] * len(outputs)  # they are complete
        return [
            TextStream(prompt, ids, output, self.vocabulary, self.indexes, self.codes, advance)
            for output, advance in zip(outputs, advances, strict=True)
        ]

    def stream(self, prompt: str = "", **options: Any) -> Iterator[str]:
        """Yield the prompt, then new characters one by one; options as for `texts`."""
        return iter(self.texts(prompt=prompt, **options)[0])

    def generate(self, prompt: str = "", **options: Any) -> str:
        """Return the prompt followed by new text; options as for `texts`."""
        return "".join(self.stream(prompt, **options))

    def _sample(
        self, config: SampleConfig, prompt_ids: Ids, outputs: Sequence[GeneratedSequence]
    ) -> list[Advance]:
        """For every output, the function that generates its next character."""
        engine = with_strength(self.engine, config.repeat_strength)
        after_prompt = decode.read(engine, np.concatenate((self.context, prompt_ids)))
        sampler = Sampler(config)
        recent = [int(token) for token in prompt_ids if token != self.vocabulary.end_id]
        advances: list[Advance] = []
        for items, rows in decode.batches(len(outputs), engine):
            states = decode.gather(engine, after_prompt, [0] * rows)
            batch = [outputs[item] for item in items]
            steps = decode.generate(engine, states, sampler, batch, recent)
            advances += [partial(next, steps, True)] * len(batch)
        return advances

    def _constraints(
        self, config: SampleConfig, prompt_ids: Ids, stops: Sequence[str], banned: Sequence[int]
    ) -> list[Constraint]:
        """The constraints of one output."""
        constraints: list[Constraint] = []
        if banned:
            constraints.append(BannedTokens(len(self.vocabulary), banned))
        constraints += [StopSequence(self.vocabulary.encode(stop).tolist()) for stop in stops]
        end_id = self.vocabulary.end_id
        return constraints + guards(self.indexes, self.codes, config, prompt_ids, end_id)

    def _banned(self, ban: str, allow: str) -> list[int]:
        """The ids that are never generated."""
        characters = {*self.vocabulary.tokens} - {END, UNKNOWN}
        possible = (characters & {*allow} if allow else characters) - {*ban}
        if not possible:
            raise ConfigError(
                "ban: expected that some character can still be generated, got none; ban fewer "
                "characters, or allow more"
            )
        ids = self.vocabulary.ids
        return sorted(ids[token] for token in ids.keys() - possible - {END})

    def _require_reachable(self, stop: str, banned: Sequence[int]) -> None:
        """Raise `ConfigError` if the stop text has a banned character."""
        never = [character for character in stop if self.vocabulary.ids[character] in banned]
        if never:
            raise ConfigError(
                f"stop: expected a text that can be generated, got {stop!r}, whose {never[0]!r} "
                "is banned; change stop, or allow this character"
            )


def report(texts: Sequence[TextStream]) -> list[str]:
    """Messages to the user about finished texts: copies, and early ends."""
    indexes, codes, end_id = texts[0].indexes, texts[0].codes, texts[0].vocabulary.end_id
    lines = copy_report.report(indexes, codes, [text.longest_copy for text in texts])
    if indexes and end_id is not None:
        copied = sum(
            copy_report.is_whole_piece(indexes, codes, text.ids[1:], end_id)
            for text in texts
            if not text.stopped
        )
        lines.append(f"whole lines copied from the corpus: {copied} of {len(texts)}")
    stuck = sum(text.output.is_stuck for text in texts)
    if stuck:
        lines.append(
            f"{stuck} of {len(texts)} texts end early: every possible next character would "
            "continue a copy"
        )
    return lines

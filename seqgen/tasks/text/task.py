"""Text as a task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError
from seqgen.sampling.config import SampleConfig
from seqgen.tasks.base import Task, sample_config
from seqgen.tasks.text import corpus
from seqgen.tasks.text.generate import UNIT, TextGenerator, TextStream
from seqgen.tasks.text.prompt import encode_prompt
from seqgen.types import Ids
from seqgen.vocabulary import Vocabulary

if TYPE_CHECKING:
    from seqgen.tasks.text.samples import Table

DEFAULT_LENGTH = 500  # characters of a text
LONGEST_LINE = 10_000  # characters of a text by a model of lines
PREVIEW_LENGTH = 160
MEASURED_LENGTH = 1000  # characters of a text that is measured


class TextTask(Task):
    """Sequences of characters: one text, or a line for each piece."""

    name = "text"
    token_name = "character"
    copy_unit = UNIT
    generation_options = {  # noqa: RUF012
        "prompt": "--prompt",
        "length": "--length",
        "stop": "--stop",
        "ban": "--ban",
        "allow": "--allow",
        "skip_unknown": "--skip-unknown",
    }

    read = staticmethod(corpus.read)  # type: ignore[assignment]  # its options by name

    def generator(self, model: Any) -> Texts:
        """Writes texts."""
        return Texts(model)

    def write(self, model: Any, *, output: str | None, count: int, **options: Any) -> None:
        """To stdout or into a file, see `seqgen.tasks.text.output.write_texts`."""
        from seqgen.tasks.text.output import write_texts

        write_texts(model, output, count, **options)

    def preview(self, model: Any) -> str:
        """A short text."""
        return Texts(model).generate(length=PREVIEW_LENGTH, seed=0)

    def opening(self, vocabulary: Vocabulary) -> Ids:
        """The end token of the line before, or a newline."""
        return encode_prompt(vocabulary, "")[1]

    def scoring_options(self, options: dict[str, Any], encoding: str | None) -> dict[str, Any]:
        """Characters that are rare in the scored text may be known to the model."""
        return {**super().scoring_options(options, encoding), "min_count": 1}

    def sample_options(self, model: Any, **options: Any) -> dict[str, Any]:
        """As long as the user asks for; a model of lines ends its lines itself."""
        if options.get("bars") is not None:
            raise ConfigError("--bars is for models of music; this one is of text, see --length")
        length, temperature, seed = (options[name] for name in ("length", "temperature", "seed"))
        SampleConfig(length=length or 0, temperature=temperature or 0, seed=seed)
        if length is None and not model.writes_lines:
            length = MEASURED_LENGTH
        return {
            **({} if length is None else {"length": length}),
            "temperature": temperature,
            "seed": seed,
        }

    def measure_samples(
        self, model: Any, corpus: Corpus, count: int, **options: Any
    ) -> tuple[Table, dict[str, Any]]:
        """See `seqgen.tasks.text.samples.measure`."""
        from seqgen.tasks.text import samples

        return samples.measure(model, corpus, count, **options), {}


class Texts:
    """New texts by a trained model.

    Args:
        model: a `seqgen.Model` of text.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def texts(
        self,
        count: int = 1,
        *,
        prompt: str = "",
        length: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
        stop: str = "",
        ban: str = "",
        allow: str = "",
        skip_unknown: bool = False,
        scored: bool = False,
        **sampling: Any,
    ) -> list[TextStream]:
        """New texts, generated side by side while they are read.

        Args:
            count: number of texts; a text does not depend on how many there are.
            prompt: how every text begins.
            length: number of new characters, 500 by default; a model of lines stops at the end of
                the line, or after 10,000.
            temperature: 0 takes the most likely character, 1 samples from the model's
                distribution; 0.8 by default.
            seed: the same seed gives the same texts on the same machine.
            stop: every text ends before this text.
            ban: characters that are never written.
            allow: only these characters are written.
            skip_unknown: drop characters of the prompt that the model does not know.
            scored: keep the log-probability of every character.
            sampling: the other fields of `SampleConfig`: `top_k`, `top_p`, `min_p`, `beam` …

        Raises:
            VocabularyError: the prompt has characters that the model does not know.
            ConfigError: an option is out of its range.
        """
        if length is None:
            length = LONGEST_LINE if self.model.writes_lines else DEFAULT_LENGTH
        config = sample_config(length, temperature, seed, sampling)
        data = self.model.data
        generator = TextGenerator(self.model.engine, data.vocabulary, data.indexes)
        return generator.write(
            prompt,
            config,
            count=count,
            stop=stop,
            ban=ban,
            allow=allow,
            skip_unknown=skip_unknown,
            scored=scored,
        )

    def stream(self, prompt: str = "", **options: Any) -> Iterator[str]:
        """Yield the prompt, then new text, a character at a time; options as for `texts`."""
        return iter(self.texts(prompt=prompt, **options)[0])

    def generate(self, prompt: str = "", **options: Any) -> str:
        """The prompt followed by new text; options as for `texts`."""
        return "".join(self.stream(prompt, **options))

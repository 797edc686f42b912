"""A model of music → new pieces: what was asked for, the rules, and back from tokens to notes."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seqgen import generation
from seqgen.config import SampleConfig
from seqgen.errors import MusicError, VocabularyError
from seqgen.generation import Place
from seqgen.music.codec import Codec
from seqgen.music.key_finding import key_of
from seqgen.music.melody_rules import MelodyRules
from seqgen.music.piece import TEMPO, Note, Piece, regular_bars
from seqgen.music.polyphony_rules import PolyphonyRules
from seqgen.music.signatures import MODES, Key, Meter
from seqgen.runtime import Stepper
from seqgen.vocabulary import END, Vocabulary
from seqgen.wishes import Wishes

MOST_TOKENS = 20_000  # of a piece whose bars nobody counted
CLOSE = 4  # bars at the end of a piece of so many, of which there are
TAKES = 32  # takes; the one is kept behind which the model would end
FURTHEST = 24  # semitones that a primer may be moved, to where the model knows its notes


class Composer:
    """Writes pieces with a trained network.

    Args:
        stepper: the network.
        vocabulary: its tokens.
        corpus: what the model file tells of its corpus, `Corpus.facts`.
    """

    def __init__(self, stepper: Stepper, vocabulary: Vocabulary, corpus: Mapping[str, Any]) -> None:
        self.stepper = stepper
        self.vocabulary = vocabulary
        self.details = corpus["details"]
        self.codec = Codec(**self.details["codec"])
        self.is_in_c = corpus["options"]["transpose"] == "c"

    def compose(self, wishes: Wishes, config: SampleConfig, *, item: int = 0) -> Piece:
        """A new piece.

        Args:
            wishes: what it shall be like.
            config: how tokens are drawn; its `length` is not looked at.
            item: which of several pieces of one seed.

        Raises:
            VocabularyError: a key, a meter or a primer that the model has never seen.
            MusicError: there is no note that fits both range and key.
        """
        if self.is_in_c and wishes.key is None and wishes.primer is None:
            wishes = replace(wishes, key=self._drawn_key(config.seed, item))
        begun, shift = self._begun(wishes)
        rules = self._rules(wishes, [] if begun else self._header(wishes, shift), shift)
        prompt = self.vocabulary.encode([END, *begun])
        for token in prompt[1:]:
            rules.feed(int(token))
        if begun:
            rules.bars.begin_counting()
        place = generation.read(self.stepper, prompt)
        tokens: list[str] = []
        if wishes.bars is not None and wishes.bars > CLOSE:
            rules.bars.wanted = wishes.bars - CLOSE
            tokens, place = self._take(place, rules, config, item)
            rules.bars.wanted = wishes.bars
        takes = [
            self._take(place, copy.deepcopy(rules), config, item + (take << 32))
            for take in range(1, 1 + (TAKES if wishes.bars is not None else 1))
        ]
        tokens += max(takes, key=lambda take: self._ending(take[1]))[0]
        piece = self.codec.decode([*begun, *tokens]).transposed(-shift)
        if wishes.primer is not None and not wishes.echo:
            piece = _behind(piece, self.codec.decode(begun).length)
        return self._finished(piece, wishes)

    def _take(
        self, place: Place, rules: MelodyRules | PolyphonyRules, config: SampleConfig, number: int
    ) -> tuple[list[str], Place]:
        """Tokens up to where the rules end, and the place behind them."""
        drawing = generation.generate(
            self.stepper,
            place,
            replace(config, length=MOST_TOKENS if rules.bars.wanted is None else 10**9),
            end_id=self.vocabulary.end_id,
            may_be_empty=False,
            rules=rules,
            item=number,
        )
        ids: list[int] = []
        while True:
            try:
                ids.append(next(drawing))
            except StopIteration as stop:
                return self.vocabulary.decode(ids), stop.value

    def _ending(self, place: Place) -> float:
        """The logarithm of how likely a piece ends here."""
        logits = place.logits[0].astype(np.float64)
        return float(logits[self.vocabulary.end_id] - np.logaddexp.reduce(logits))

    def _drawn_key(self, seed: int, item: int) -> Key | None:
        """One of those that the corpus was in, before all of it was moved to C."""
        keys = self.details["keys"]
        if not keys:
            return None
        shares = np.array(list(keys.values())) / sum(keys.values())
        chance = np.random.default_rng([seed, item, 1])
        return Key.parse(str(chance.choice(list(keys), p=shares)))

    def known(self, kind: str) -> list[str]:
        """The meters (`meter:`) or keys (`key:`) that the model has seen."""
        return [t.removeprefix(kind) for t in self.vocabulary.tokens if t.startswith(kind)]

    def _begun(self, wishes: Wishes) -> tuple[list[str], int]:
        """The primer's tokens, and by how many semitones the model's music lies higher."""
        primer = wishes.primer
        if primer is None:
            return [], self._shift(wishes.key)
        primer = self.codec.fit(_trimmed(primer))
        key = primer.key or wishes.key or key_of(primer)
        if primer.key is None and key is not None:
            primer = replace(primer, keys=((0, key), *primer.keys))
        if not primer.meters:
            meters = ((0, wishes.meter or Meter.parse(self.details["meter"])),)
            primer = replace(primer, bars=regular_bars(primer.length, meters), meters=meters)
        first = self._shift(primer.key)
        step = 12 if self.is_in_c and primer.key else 1
        shifts = range(first - step * (FURTHEST // step), first + FURTHEST + 1, step)
        for shift in sorted(shifts, key=lambda shift: abs(shift - first)):
            try:
                tokens = self.codec.encode(primer.transposed(shift))
            except MusicError:
                continue
            if set(tokens) <= self.vocabulary.ids.keys():
                return tokens, shift
        unknown = set(self.codec.encode(primer.transposed(first))) - self.vocabulary.ids.keys()
        raise VocabularyError(
            "the primer has what the model has never seen, in any key: "
            f"{', '.join(sorted(unknown)[:8])}; leave it out, or train on music that has it"
        )

    def _shift(self, key: Key | None) -> int:
        """To where a model of one key has learned music of this one."""
        if key is None or not self.is_in_c:
            return 0
        return next(s for s in sorted(range(-5, 7), key=abs) if key.transposed(s).sharps == 0)

    def _header(self, wishes: Wishes, shift: int) -> list[str]:
        header = []
        if wishes.meter is not None:
            header.append(self._known("meter:", str(wishes.meter), str(wishes.meter)))
        if wishes.key is not None:
            key = wishes.key.transposed(shift)
            header.append(self._known("key:", str(key), str(wishes.key)))
        return header

    def _known(self, kind: str, text: str, wished: str) -> str:
        known = self.known(kind)
        if text not in known:
            name = kind.removesuffix(":")
            if self.is_in_c and kind == "key:":
                known = [mode for mode in MODES if str(Key(0, mode)) in known]
            listed = ", ".join(known) or "none at all"
            raise VocabularyError(f"{name}: the model has never seen {wished}; it knows {listed}")
        return f"{kind}{text}"

    def _rules(
        self, wishes: Wishes, header: Sequence[str], shift: int
    ) -> MelodyRules | PolyphonyRules:
        pitches = range(wishes.lowest, wishes.highest + 1)
        key = wishes.key
        if not any(key is None or pitch % 12 in key.scale for pitch in pitches):
            raise MusicError(f"range: there is no note of {key} in it; make it wider")
        kind = MelodyRules if self.codec.is_melody else PolyphonyRules
        rules = kind(
            self.vocabulary.tokens,
            bars=wishes.bars,
            header=header,
            lowest=wishes.lowest + shift,
            highest=wishes.highest + shift,
        )
        if not rules.has_notes:
            raise MusicError("range: the model knows no note in it; make it wider")
        return rules

    def _finished(self, piece: Piece, wishes: Wishes) -> Piece:
        """With what tokens do not say: tempo and instrument."""
        primer = wishes.primer
        tempo = wishes.tempo or (primer.tempo if primer and primer.tempi else None)
        tempo = tempo or self.details["tempo"] or TEMPO
        program = wishes.program
        if program is None and self.codec.is_melody:
            program = primer.parts[0].program if primer and primer.parts else None
            program = self.details["program"] if program is None else program
        parts = tuple(
            part if program is None or part.is_drums else replace(part, program=program)
            for part in piece.parts
        )
        return replace(piece, parts=parts, tempi=((0, float(tempo)),))


def _trimmed(piece: Piece) -> Piece:
    """Up to where its last note ends: what goes on, goes on there."""
    end = max((note.end for note in piece.notes), default=piece.length)
    bars = tuple(bar for bar in piece.bars if bar < end)

    def before(changes: Iterable[tuple[int, Any]]) -> tuple[tuple[int, Any], ...]:
        return tuple(change for change in changes if change[0] < end)

    return replace(
        piece, bars=bars, length=end, meters=before(piece.meters), keys=before(piece.keys)
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

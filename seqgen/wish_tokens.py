"""What was asked for of music, in the tokens of a model: meter, key, primer, range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seqgen.errors import MusicError, VocabularyError
from seqgen.music.codec import Codec
from seqgen.music.key_finding import key_of
from seqgen.music.melody_rules import MelodyRules
from seqgen.music.piece import TEMPO, Piece, regular_bars
from seqgen.music.polyphony_rules import PolyphonyRules
from seqgen.music.signatures import MODES, Key, Meter
from seqgen.vocabulary import Vocabulary
from seqgen.wishes import Wishes

FURTHEST = 24  # semitones that a primer may be moved, to where the model knows its notes


class WishTokens:
    """Turns wishes into tokens and rules, and what is made back.

    Args:
        vocabulary: the model's tokens.
        corpus: what the model file tells of its corpus, `Corpus.facts`.
    """

    def __init__(self, vocabulary: Vocabulary, corpus: Mapping[str, Any]) -> None:
        self.vocabulary = vocabulary
        self.details = corpus["details"]
        self.codec = Codec(**self.details["codec"])
        self.is_in_c = corpus["options"]["transpose"] == "c"

    def drawn_key(self, seed: int, item: int) -> Key | None:
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

    def begun(self, wishes: Wishes) -> tuple[list[str], int]:
        """The primer's tokens, and by how many semitones the model's music lies higher.

        Raises:
            VocabularyError: the primer has what the model has never seen, in any key.
        """
        primer = wishes.primer
        if primer is None:
            return [], self.shift(wishes.key)
        primer = self.codec.fit(_trimmed(primer))
        key = primer.key or wishes.key or key_of(primer)
        if primer.key is None and key is not None:
            primer = replace(primer, keys=((0, key), *primer.keys))
        if not primer.meters:
            meters = ((0, wishes.meter or Meter.parse(self.details["meter"])),)
            primer = replace(primer, bars=regular_bars(primer.length, meters), meters=meters)
        first = self.shift(primer.key)
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

    def shift(self, key: Key | None) -> int:
        """To where a model of one key has learned music of this one."""
        if key is None or not self.is_in_c:
            return 0
        return next(s for s in sorted(range(-5, 7), key=abs) if key.transposed(s).sharps == 0)

    def header(self, wishes: Wishes, shift: int) -> list[str]:
        """The tokens of meter and key, as far as they are wished.

        Raises:
            VocabularyError: the model has never seen them.
        """
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

    def rules(
        self, wishes: Wishes, header: Sequence[str], shift: int
    ) -> MelodyRules | PolyphonyRules:
        """What may be written.

        Raises:
            MusicError: no note fits both range and key, or the model knows none in the range.
        """
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

    def finished(self, piece: Piece, wishes: Wishes) -> Piece:
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

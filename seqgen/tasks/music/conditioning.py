"""What was asked for of music, in the tokens of a model: meter, key, primer, range."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seqgen.errors import MusicError, VocabularyError
from seqgen.music.analysis.key_finding import close_of, key_of
from seqgen.music.piece import TEMPO, Piece, regular_bars
from seqgen.music.signatures import MODES, TICKS_PER_WHOLE, Key, Meter
from seqgen.music.tokens.codec import Codec
from seqgen.music.tokens.melody_grammar import MelodyRules
from seqgen.music.tokens.polyphony_grammar import PolyphonyRules
from seqgen.tasks.music.request import MusicRequest
from seqgen.vocabulary import Vocabulary

FURTHEST = 60  # semitones that a primer may be moved, to where the model knows its notes
MOST_LISTED = 24  # meters or keys, in a message
COMPOUND_TEMPO = 150.0  # quarters a minute where beats have three eighths: 100 of these beats


class Conditioning:
    """Turns wishes into tokens and rules, and what is made back.

    Args:
        vocabulary: the model's tokens.
        corpus: what the model file tells of its corpus, `Corpus.metadata`.
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

    def primer_tokens(self, wishes: MusicRequest) -> tuple[list[str], int]:
        """The primer's tokens, and by how many semitones the model's music lies higher.

        Raises:
            MusicError: the primer has no notes, or another meter or mode than is wished.
            VocabularyError: the primer has what the model has never seen, in any key.
        """
        if wishes.primer is None:
            return [], self.shift(wishes.key)
        primer = self._as_wished(
            self._playable(self.codec.restrict(_trimmed(wishes.primer))), wishes
        )
        first = self.shift(primer.key)
        step = 12 if self.is_in_c and primer.key else 1
        shifts = range(first - step * (FURTHEST // step), first + FURTHEST + 1, step)
        nearest: set[str] = set()  # what is unknown of it where it is moved least
        for shift in sorted(shifts, key=lambda shift: abs(shift - first)):
            try:
                tokens = self.codec.encode(primer.transposed(shift))
            except MusicError:
                continue
            unknown = set(tokens) - self.vocabulary.ids.keys()
            if not unknown:
                return tokens, shift
            nearest = nearest or unknown
        raise VocabularyError(
            "the primer has what the model has never seen, in any key: "
            f"{', '.join(sorted(nearest)[:8])}; leave it out, or train on music that has it"
        )

    def _playable(self, primer: Piece) -> Piece:
        """With instruments that the model knows."""
        if not primer.notes:
            raise MusicError("primer: expected notes, got none that this model's encoding can hold")
        programs = self.known("program:")
        return replace(
            primer,
            parts=tuple(
                part
                if part.is_drums or not programs or str(part.program) in programs
                else replace(part, program=int(programs[0]))
                for part in primer.parts
            ),
        )

    def _as_wished(self, primer: Piece, wishes: MusicRequest) -> Piece:
        """In the key and meter that are wished; where it has none, in the likeliest ones."""
        key, meter = wishes.key, wishes.meter
        if primer.key is None and (key := key or key_of(primer, self.details["keys"])):
            primer = replace(primer, keys=((0, key), *primer.keys))
        elif primer.key is not None and key is not None:
            if key.mode != primer.key.mode:
                raise MusicError(
                    f"key: the primer is in {primer.key}, and can only go on in {primer.key.mode}"
                )
            primer = primer.transposed((key.tonic - primer.key.tonic + 5) % 12 - 5)
        if not primer.meters:
            meters = ((0, meter or Meter.parse(self.details["meter"])),)
            primer = replace(primer, bars=regular_bars(primer.length, meters), meters=meters)
        elif meter is not None and meter != primer.meters[-1][1]:
            raise MusicError(
                f"meter: the primer ends in {primer.meters[-1][1]}, and goes on in it; "
                f"leave {meter} away"
            )
        return primer

    def shift(self, key: Key | None) -> int:
        """To where a model of one key has learned music of this one."""
        if key is None or not self.is_in_c:
            return 0
        return key.semitones_to_c

    def header(self, wishes: MusicRequest, shift: int) -> list[str]:
        """The tokens of meter and key, as far as they are wished.

        Raises:
            VocabularyError: the model has never seen them.
        """
        header = []
        if wishes.meter is not None:
            header.append(self._known("meter:", str(wishes.meter), str(wishes.meter)))
        if wishes.key is not None:
            key = wishes.key.transposed(shift)
            sounds_like = {str(each) for each in key.respelled()} & {*self.known("key:")}
            header.append(self._known("key:", min(sounds_like, default=str(key)), str(wishes.key)))
        return header

    def _known(self, kind: str, text: str, wished: str) -> str:
        known = self.known(kind)
        if text not in known:
            name = kind.removesuffix(":")
            if self.is_in_c and kind == "key:":
                known = [mode for mode in MODES if str(Key(0, mode)) in known]
            listed = ", ".join(known[:MOST_LISTED]) or "none at all"
            if len(known) > MOST_LISTED:
                listed += f" and {len(known) - MOST_LISTED} more"
            raise VocabularyError(f"{name}: the model has never seen {wished}; it knows {listed}")
        return f"{kind}{text}"

    def rules(
        self, wishes: MusicRequest, header: Sequence[str], shift: int
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

    def closing(self, piece: Piece) -> float:
        """The logarithm of the share of music in that mode that closes on that degree of its key.

        0 where the model file does not tell: it was made by an older seqgen.
        """
        close = close_of(piece)
        if close is None or close[0] not in self.details.get("closes", {}):
            return 0.0
        mode, degree = close
        counts = self.details["closes"][mode]
        return math.log((counts[degree] + 1) / (sum(counts) + len(counts)))

    def finished(self, piece: Piece, wishes: MusicRequest) -> Piece:
        """With what tokens do not say: tempo and instrument, and how the wished key is spelled."""
        primer = wishes.primer
        tempo = wishes.tempo or (primer.tempo if primer and primer.tempi else None)
        is_compound = piece.meter.beat_ticks * piece.meter.beat_type > TICKS_PER_WHOLE
        tempo = tempo or self.details["tempo"] or (COMPOUND_TEMPO if is_compound else TEMPO)
        program = wishes.program
        if program is None and self.codec.is_melody:
            program = primer.parts[0].program if primer and primer.parts else None
            program = self.details["program"] if program is None else program
        parts = tuple(
            part if program is None or part.is_drums else replace(part, program=program)
            for part in piece.parts
        )
        wished = wishes.key
        keys = tuple(
            (tick, wished if wished is not None and wished in key.respelled() else key)
            for tick, key in piece.keys
        )
        return replace(piece, parts=parts, tempi=((0, float(tempo)),), keys=keys)


def _trimmed(piece: Piece) -> Piece:
    """Up to where its last note ends: what goes on, goes on there."""
    end = max((note.end for note in piece.notes), default=piece.length)
    bars = tuple(bar for bar in piece.bars if bar < end)

    def before(changes: Iterable[tuple[int, Any]]) -> tuple[tuple[int, Any], ...]:
        return tuple(change for change in changes if change[0] < end)

    return replace(
        piece, bars=bars, length=end, meters=before(piece.meters), keys=before(piece.keys)
    )

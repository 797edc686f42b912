"""What a user requests, in the tokens of a model: meter, key, primer, range."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from seqgen.errors import MusicError, VocabularyError
from seqgen.music.analysis.key_finding import final_degree, key_of
from seqgen.music.excerpts import without_final_rest
from seqgen.music.piece import TEMPO, Piece, regular_bars
from seqgen.music.signatures import MODES, TICKS_PER_WHOLE, Key, Meter
from seqgen.music.tokens.bar_grammar import BarGrammar
from seqgen.music.tokens.codec import Codec
from seqgen.music.tokens.melody_grammar import MelodyGrammar
from seqgen.music.tokens.polyphony_grammar import PolyphonyGrammar
from seqgen.tasks.base import Metadata
from seqgen.tasks.music.request import FASTEST, SLOWEST, MusicRequest
from seqgen.types import Json
from seqgen.vocabulary import Vocabulary

MAX_SHIFT = 60  # semitones by which a primer may be transposed to pitches that the model knows
MAX_LISTED = 24  # meters or keys in a message
COMPOUND_TEMPO = 150.0  # quarters a minute: 100 beats of three eighths


class Conditioning:
    """Turns a request into tokens and a grammar, and completes the generated pieces.

    Args:
        vocabulary: the model's vocabulary.
        metadata: of the corpus that the model was trained on, `Corpus.metadata`.
    """

    def __init__(self, vocabulary: Vocabulary, metadata: Metadata) -> None:
        self.vocabulary = vocabulary
        self.details = metadata["details"]
        self.codec = Codec(**self.details["codec"])
        self.is_in_c = metadata["options"]["transpose"] == "c"

    def drawn_key(self, seed: int, item: int) -> Key | None:
        """Draw a key with the probability that it had in the corpus before transposition to C."""
        counts = self.details["keys"]
        if not counts:
            return None
        shares = np.array(list(counts.values())) / sum(counts.values())
        generator = np.random.default_rng([seed, item, 1])
        return Key.parse(str(generator.choice(list(counts), p=shares)))

    def known(self, kind: str) -> list[str]:
        """Return the meters (`meter:`) or keys (`key:`) of the vocabulary."""
        return [t.removeprefix(kind) for t in self.vocabulary.tokens if t.startswith(kind)]

    def primer_tokens(self, request: MusicRequest) -> tuple[list[str], int]:
        """Return the tokens of the primer, transposed so that the model knows all of them.

        Returns:
            The tokens, and by how many semitones they are transposed up from the requested key: the
            smallest possible number.

        Raises:
            MusicError: the primer has no notes, or contradicts the requested meter or mode.
            VocabularyError: the model does not know the primer's tokens in any key.
        """
        if request.primer is None:
            return [], self.shift(request.key)
        primer = self.codec.restrict(without_final_rest(request.primer))
        primer = _as_requested(self._with_known_programs(primer), request, self.details)
        first = self.shift(primer.key)
        step = 12 if self.is_in_c and primer.key else 1
        shifts = range(first - step * (MAX_SHIFT // step), first + MAX_SHIFT + 1, step)
        unknown_at_first: set[str] = set()
        for shift in sorted(shifts, key=lambda shift: abs(shift - first)):
            try:
                encoded = self.codec.encode(primer.transposed(shift))
            except MusicError:  # notes leave MIDI's range
                continue
            tokens = self.codec.lengths.respelled(encoded, self.vocabulary.ids.keys())
            unknown = set(tokens) - self.vocabulary.ids.keys()
            if not unknown:
                return tokens, shift
            unknown_at_first = unknown_at_first or unknown
        raise VocabularyError(
            "primer: expected tokens that the model knows in some key, got "
            f"{', '.join(sorted(unknown_at_first)[:8])}; leave these notes out, or train on music "
            "that has them"
        )

    def _with_known_programs(self, primer: Piece) -> Piece:
        """Replace instruments that the model does not know."""
        if not primer.notes:
            raise MusicError(
                "primer: expected notes, got none that the encoding of this model can hold; choose "
                "another primer"
            )
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

    def shift(self, key: Key | None) -> int:
        """Return the semitones from a key to the one in which the model learned such music."""
        if key is None or not self.is_in_c:
            return 0
        return key.semitones_to_c

    def header(self, request: MusicRequest, shift: int) -> list[str]:
        """Return the tokens of the requested meter and key.

        Args:
            request: the request.
            shift: semitones from the requested key to the model's.

        Raises:
            VocabularyError: the model does not know the meter or the key.
        """
        header = []
        if request.meter is not None:
            header.append(self._token("meter:", str(request.meter), str(request.meter)))
        if request.key is not None:
            key = request.key.transposed(shift)
            spellings = {str(same) for same in key.respelled()} & {*self.known("key:")}
            header.append(self._token("key:", min(spellings, default=str(key)), str(request.key)))
        return header

    def _token(self, kind: str, text: str, requested: str) -> str:
        known = self.known(kind)
        if text not in known:
            name = kind.removesuffix(":")
            if self.is_in_c and kind == "key:":
                known = [mode for mode in MODES if str(Key(0, mode)) in known]
            advice = f"use one of {', '.join(known[:MAX_LISTED])}" if known else "leave it out"
            if len(known) > MAX_LISTED:
                advice += f" and {len(known) - MAX_LISTED} more"
            raise VocabularyError(
                f"{name}: expected one that the model knows, got {requested}; {advice}"
            )
        return f"{kind}{text}"

    def grammar(self, request: MusicRequest, header: Sequence[str], shift: int) -> BarGrammar:
        """Return the grammar of a new piece.

        Args:
            request: the request.
            header: the required tokens of meter and key.
            shift: semitones from the requested key to the model's.

        Raises:
            MusicError: no note is in both range and key, or the model knows none in the range.
        """
        pitches = range(request.lowest, request.highest + 1)
        key = request.key
        if not any(key is None or pitch % 12 in key.scale for pitch in pitches):
            raise MusicError(
                f"range: expected notes of {key}, got a range without any; make it wider"
            )
        kind = MelodyGrammar if self.codec.is_melody else PolyphonyGrammar
        grammar = kind(
            self.vocabulary.tokens,
            bars=request.bars,
            header=header,
            lowest=request.lowest + shift,
            highest=request.highest + shift,
        )
        if not grammar.has_notes:
            raise MusicError(
                "range: expected notes that the model knows, got a range without any; make it wider"
            )
        return grammar

    def final_degree_score(self, piece: Piece) -> float:
        """Return the log of the fraction of pieces in this mode that end on the same degree.

            log((count[degree] + 1) / (sum(count) + 12))

        0 if the model file has no such counts, because an older version wrote it.
        """
        final = final_degree(piece)
        if final is None or final[0] not in self.details.get("closes", {}):
            return 0.0
        mode, degree = final
        counts = self.details["closes"][mode]
        return math.log((counts[degree] + 1) / (sum(counts) + len(counts)))

    def finished(self, piece: Piece, request: MusicRequest) -> Piece:
        """Add what tokens do not express: tempo, instrument, and the requested spelling of keys."""
        primer = request.primer
        tempo = request.tempo or (primer.tempo if primer and primer.tempi else None)
        is_compound = piece.meter.beat_ticks * piece.meter.beat_type > TICKS_PER_WHOLE
        if not tempo and self.details["tempo"]:
            tempo = min(max(self.details["tempo"], SLOWEST), FASTEST)
        tempo = tempo or (COMPOUND_TEMPO if is_compound else TEMPO)
        program = request.program
        if program is None and self.codec.is_melody:
            program = primer.parts[0].program if primer and primer.parts else None
            program = self.details["program"] if program is None else program
        parts = tuple(
            part
            if program is None or part.is_drums
            else replace(part, program=program, is_drums=request.is_drums)
            for part in piece.parts
        )
        requested = request.key
        keys = tuple(
            (tick, requested if requested is not None and requested in key.respelled() else key)
            for tick, key in piece.keys
        )
        return replace(piece, parts=parts, tempi=((0, float(tempo)),), keys=keys)


def _as_requested(primer: Piece, request: MusicRequest, details: Json) -> Piece:
    """Return the primer in the requested key and meter.

    If neither the primer nor the request has a key or a meter, it is the most likely one.
    """
    key, meter = request.key, request.meter
    if primer.key is None and (key := key or key_of(primer, details["keys"])):
        primer = replace(primer, keys=((0, key), *primer.keys))
    elif primer.key is not None and key is not None:
        if key.mode != primer.key.mode:
            raise MusicError(
                f"key: expected a {primer.key.mode} key, like that of the primer ({primer.key}), "
                f"got {key}; leave it out, or choose another primer"
            )
        primer = primer.transposed((key.tonic - primer.key.tonic + 5) % 12 - 5)
    if not primer.meters:
        meters = ((0, meter or Meter.parse(details["meter"])),)
        primer = replace(primer, bars=regular_bars(primer.length, meters), meters=meters)
    elif meter is not None and meter != primer.meters[-1][1]:
        raise MusicError(
            f"meter: expected {primer.meters[-1][1]}, in which the primer ends, got {meter}; leave "
            "it out, or choose another primer"
        )
    return primer

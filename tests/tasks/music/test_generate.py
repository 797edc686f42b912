from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqgen
from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError, MusicError, VocabularyError
from seqgen.music.analysis.measures import full_bars
from seqgen.music.io.midi_writer import midi_bytes
from seqgen.music.piece import Note, Part, Piece
from seqgen.music.pitch_names import piece_of
from seqgen.music.signatures import Key, Meter
from seqgen.sampling.config import SampleConfig
from seqgen.tasks.music import corpus as music
from seqgen.tasks.music.generate import MusicGenerator
from seqgen.tasks.music.request import MusicRequest, parse_request
from tests.tasks.music.test_corpus import source

SAVED = Path(__file__).parents[2] / "saved" / "music-0.1.keras"
TUNE = piece_of("G4/4 A4/8 B4/8 C5/4 D5/4 E5/8 D5/8 C5/8 B4/8 A4/2 F#4/4 G4/2.")


class UniformEngine:
    """An engine for which every token is equally likely."""

    is_batch_invariant = True

    def __init__(self, size: int) -> None:
        self.size = size

    def initial_state(self, batch_size: int) -> Any:
        return ()

    def step(self, ids: Any, state: Any) -> Any:
        return np.zeros((len(ids), self.size)), state

    def gather_state(self, state: Any, rows: Any) -> Any:
        return state


def melodies(transpose: str) -> Corpus:
    in_six_eight = Piece(
        TUNE.parts, (0, 72, 144, 216), 288, ((0, Meter(6, 8)),), ((0, Key(1)),), ((0, 90.0),)
    )
    in_minor = Piece(
        TUNE.parts, (0, 96, 192), 288, ((0, Meter(4, 4)),), ((0, Key(1, "minor")),), ((0, 90.0),)
    )
    sources = [source(piece) for piece in (in_six_eight, in_minor)]
    return music.read(sources, name="music", transpose=transpose, validation=0)


def composer(corpus: Corpus) -> MusicGenerator:
    return MusicGenerator(
        UniformEngine(len(corpus.vocabulary)), corpus.vocabulary, corpus.metadata()
    )


def compose(
    composer: MusicGenerator, request: MusicRequest, config: SampleConfig | None = None
) -> Piece:
    return next(composer.compose(request, config or SampleConfig())).piece


def voices(*, has_drums: bool = True) -> Corpus:
    piano = Part((Note(0, 96, 60), Note(0, 48, 67), Note(48, 48, 65), Note(96, 96, 64)), 40)
    bass = Part((Note(0, 192, 40),), 42)
    drums = Part((Note(0, 6, 36), Note(96, 6, 38)), is_drums=True)
    parts = (piano, bass, drums) if has_drums else (piano, bass)
    piece = Piece(parts, (0, 96), 192, ((0, Meter(4, 4)),), ((0, Key(0)),))
    return music.read([source(piece)], transpose="none", validation=0, name="music")


@pytest.mark.parametrize("transpose", music.TRANSPOSE)
@pytest.mark.parametrize("seed", range(8))
def test_bars_key_and_meter_are_as_requested(transpose: str, seed: int) -> None:
    request = MusicRequest(bars=8, key=Key(1), meter=Meter(6, 8), tempo=100, program=73)
    piece = compose(composer(melodies(transpose)), request, SampleConfig(seed=seed, temperature=1))
    assert (piece.key, piece.meter, piece.tempo) == (Key(1), Meter(6, 8), 100)
    assert piece.bar_lengths[-8:] == (72,) * 8 and len(piece.bars) <= 9
    assert full_bars(piece) == 1
    assert piece.parts[0].program == 73


@pytest.mark.parametrize("seed", range(8))
def test_voices_have_the_requested_bars(seed: int) -> None:
    piece = compose(
        composer(voices()), MusicRequest(bars=4), SampleConfig(seed=seed, temperature=1)
    )
    assert piece.bar_lengths[-4:] == (96,) * 4
    assert {part.program for part in piece.parts if not part.is_drums} <= {40, 42}


def test_a_model_in_c_generates_in_other_keys() -> None:
    piece = compose(composer(melodies("c")), MusicRequest(bars=4, key=Key(-2)))
    assert piece.key == Key(-2)
    assert {note.pitch % 12 for note in piece.notes} <= Key(-2).scale


def test_the_range_applies_to_the_requested_key() -> None:
    request = parse_request(bars=8, key="Bb", pitch_range="F4-D5")
    piece = compose(composer(melodies("c")), request, SampleConfig(seed=2, temperature=1))
    assert piece.notes and all(65 <= note.pitch <= 74 for note in piece.notes)


@pytest.mark.parametrize(
    ("corpus", "pitch"), [(melodies("none"), 67), (voices(has_drums=False), 64)]
)
def test_a_range_of_one_note_leaves_that_note_and_not_silence(corpus: Corpus, pitch: int) -> None:
    request = parse_request(bars=4, pitch_range=f"{pitch}-{pitch}")
    for seed in range(3):
        piece = compose(composer(corpus), request, SampleConfig(seed=seed, temperature=1))
        assert {note.pitch for note in piece.notes} == {pitch}
        assert all(any(note.start < end and note.end > start for note in piece.notes)
                   for start, end in pairwise((*piece.bars, piece.length)))  # fmt: skip


def test_drums_are_drums() -> None:
    piece = compose(composer(melodies("none")), parse_request(bars=2, instrument="drums"))
    assert piece.notes and all(part.is_drums for part in piece.parts)


def test_a_primer_is_continued() -> None:
    for transpose in music.TRANSPOSE:
        request = parse_request(bars=2, primer="G4/4 A4/8 B4/8")
        piece = compose(composer(melodies(transpose)), request, SampleConfig(seed=1))
        assert piece.notes[:3] == (Note(0, 24, 67), Note(24, 12, 69), Note(36, 12, 71)), transpose
        assert len(piece.bars) == 3  # the primer's own bar, and two
        assert full_bars(piece) == 1


def test_without_echo_the_primer_is_left_out() -> None:
    full = parse_request(bars=2, primer="G4/4 A4/8 B4/8")
    rest = parse_request(bars=2, primer="G4/4 A4/8 B4/8", echo=False)
    whole = compose(composer(melodies("none")), full, SampleConfig(seed=1))
    piece = compose(composer(melodies("none")), rest, SampleConfig(seed=1))
    later = [note._replace(start=note.start - 48) for note in whole.notes if note.start >= 48]
    assert list(piece.notes) == later
    assert piece.length == whole.length - 48


def in_key(text: str, key: str, meter: str) -> Piece:
    meters = ((0, Meter.parse(meter)),)
    return replace(piece_of(text), keys=((0, Key.parse(key)),), meters=meters)


def test_a_primer_is_transposed_to_the_requested_key() -> None:
    primer = in_key("G4/4 A4/4 B4/2", "G", "4/4")
    piece = compose(composer(melodies("c")), parse_request(bars=1, primer=primer, key="A"))
    assert str(piece.key) == "A" and [note.pitch for note in piece.notes][:3] == [69, 71, 73]
    with pytest.raises(ValueError, match="expected a major key, like that of the primer .G., got"):
        compose(composer(melodies("c")), parse_request(bars=1, primer=primer, key="Em"))
    with pytest.raises(ValueError, match="expected 4/4, in which the primer ends, got 6/8"):
        compose(composer(melodies("c")), parse_request(bars=1, primer=primer, meter="6/8"))


def test_a_primer_with_unknown_instruments_or_pitches() -> None:
    high = compose(composer(melodies("c")), parse_request(bars=1, primer="C9/4 D9/4"))
    assert [note.pitch for note in high.notes][:2] == [120, 122]
    drums = Piece((Part((Note(0, 24, 36),), is_drums=True),), (0,), 24)
    with pytest.raises(ValueError, match="primer: expected notes, got none"):
        compose(composer(melodies("c")), parse_request(bars=1, primer=drums))


def test_a_key_is_spelled_as_requested() -> None:
    for name in ("Gb", "F#"):
        assert str(compose(composer(melodies("c")), parse_request(bars=2, key=name)).key) == name


def test_compound_meters_have_a_faster_default_tempo() -> None:
    corpus = melodies("c")
    metadata = corpus.metadata()
    metadata["details"] = {**metadata["details"], "tempo": None}
    generator = MusicGenerator(UniformEngine(len(corpus.vocabulary)), corpus.vocabulary, metadata)
    assert compose(generator, parse_request(bars=2, meter="6/8")).tempo == 150
    assert compose(generator, parse_request(bars=2, meter="4/4")).tempo == 120


def test_a_primer_from_a_file_in_a_distant_key(tmp_path: Path) -> None:
    path = tmp_path / "start.mid"
    high = Piece(TUNE.transposed(7).parts, (0, 96, 192), 288, keys=((0, Key(2)),))
    path.write_bytes(midi_bytes(high))
    piece = compose(composer(melodies("none")), parse_request(bars=1, primer=path))
    assert [n.pitch for n in piece.notes[:12]] == [n.pitch for n in high.notes]


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        ({"key": "F#"}, "key: expected one that the model knows, got F#; use one of Em, G"),
        (
            {"meter": "9/8"},
            "meter: expected one that the model knows, got 9/8; use one of 4/4, 6/8",
        ),
        ({"primer": "C4/32 D4/32"}, "knows in some key, got duration:3"),
        (
            {"key": "G", "pitch_range": "F4-F4"},
            "range: expected notes of G, got a range without any",
        ),
        ({"pitch_range": "C1-D1"}, "range: expected notes that the model knows"),
    ],
)
def test_unknown_meters_keys_and_primers_are_errors(
    requested: dict[str, Any], message: str
) -> None:
    with pytest.raises((VocabularyError, MusicError)) as raised:
        compose(composer(melodies("none")), parse_request(bars=1, **requested))
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        ({"bars": 0}, "bars: expected a whole number from 1 to 10,000, got 0"),
        ({"tempo": 0.0}, "tempo: expected 4 to 1000"),
        ({"key": "J"}, "key: expected something like G"),
        ({"meter": "waltz"}, "meter: expected something like 4/4"),
        ({"pitch_range": "C6-C4"}, "the lower pitch first"),
        ({"instrument": "violine"}, "did you mean violin"),
        ({"key": ""}, "key: expected something like G"),
        ({"meter": ""}, "meter: expected something like 4/4"),
        ({"pitch_range": ""}, "range: expected something like G3-C6"),
        ({"instrument": ""}, "instrument: expected a name of General MIDI"),
        ({"primer": "do re mi"}, "notes: expected something like"),
        ({"primer": "gone.mid"}, "gone.mid cannot be read: No such file"),
    ],
)
def test_invalid_requests_are_errors(requested: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, MusicError)) as raised:
        parse_request(**requested)
    assert message in str(raised.value)


def test_a_mode_that_a_model_in_c_does_not_know() -> None:
    with pytest.raises(VocabularyError, match="got Ddor; use one of major, minor"):
        compose(composer(melodies("c")), MusicRequest(key=Key(0, "dorian")))


class EndsOn(UniformEngine):
    """The same, but it ends pieces after one token."""

    def __init__(self, corpus: Corpus, token: str) -> None:
        super().__init__(len(corpus.vocabulary))
        self.last, self.end = corpus.vocabulary.ids[token], corpus.vocabulary.end_id

    def step(self, ids: Any, state: Any) -> Any:
        logits, state = super().step(ids, state)
        logits[:, self.end] = np.where(ids == self.last, 9.0, -9.0)
        return logits, state


def test_the_candidate_with_the_most_likely_end_is_kept() -> None:
    corpus = melodies("none")
    generator = MusicGenerator(EndsOn(corpus, "pitch:67"), corpus.vocabulary, corpus.metadata())
    for seed in range(5):
        piece = compose(generator, MusicRequest(bars=2), SampleConfig(seed=seed, temperature=1))
        assert piece.notes[-1].pitch == 67 and piece.notes[-1].end == piece.length
        assert len(piece.bars) <= 3


def test_the_candidate_with_the_most_common_final_degree_is_kept() -> None:
    for transpose in ("c", "none"):
        for key in (Key(1), Key(1, "minor")):  # in both the tunes end on G
            for seed in range(5):
                request = MusicRequest(bars=2, key=key)
                config = SampleConfig(seed=seed, temperature=1)
                piece = compose(composer(melodies(transpose)), request, config)
                assert piece.notes[-1].pitch % 12 == 7


def test_a_model_file_without_final_degrees() -> None:
    corpus = melodies("c")
    metadata = corpus.metadata()
    metadata["details"] = {
        name: each for name, each in metadata["details"].items() if name != "closes"
    }
    generator = MusicGenerator(UniformEngine(len(corpus.vocabulary)), corpus.vocabulary, metadata)
    assert (
        len({compose(generator, MusicRequest(bars=1), SampleConfig(seed=i)) for i in range(3)}) == 3
    )


def test_without_a_number_of_bars_the_model_ends_the_piece() -> None:
    piece = compose(composer(melodies("none")), MusicRequest(), SampleConfig(seed=3, temperature=1))
    assert len(piece.bars) < 2000
    assert piece.tempo == 90


def test_pieces_take_requests_and_options_of_sampling_as_keywords() -> None:
    model = seqgen.load(SAVED)
    (piece,) = model.pieces(bars=2, seed=1, top_k=1, scored=True)
    assert model.compose(bars=2, seed=1, top_k=1) == piece.piece
    assert model.compose(bars=2, seed=1, top_k=1) == model.compose(bars=2, seed=1, temperature=0)
    with pytest.raises(ConfigError, match="repeat_strength: expected a model with a mixture"):
        next(model.pieces(repeat_strength=0.5))
    with pytest.raises(ConfigError, match="expected options of generation, got 'sampling'"):
        next(model.pieces(sampling={}))

import json
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest

from seqgen.corpus.corpus import Corpus
from seqgen.corpus.sources import Source
from seqgen.errors import ConfigError, CorpusError
from seqgen.music.io.abc_writer import abc_text
from seqgen.music.io.midi_writer import midi_bytes
from seqgen.music.io.read import read as read_music
from seqgen.music.piece import Note, Part, Piece
from seqgen.music.pitch_names import piece_of
from seqgen.music.tokens.codec import Codec
from seqgen.tasks.detect import task_of
from seqgen.tasks.load import load_corpus
from seqgen.tasks.music import corpus as music
from seqgen.tasks.music import files as music_files
from seqgen.training.batches import PieceBatches, training_batches
from seqgen.vocabulary import END

SCALE = "C4/8 D4/8 E4/8 F4/8 G4/8 A4/8 B4/8 C5/8"
NAMES = ("C", "D", "E", "F", "G", "A", "B")


def tune(number: int) -> Piece:
    """Return one of many tunes with different beginnings."""
    steps = [(number * step) % 7 for step in range(1, 17)]
    return piece_of(" ".join(f"{NAMES[step]}4/{(4, 8)[step % 2]}" for step in steps))


def source(piece: Piece, name: str = "tune.mid") -> Source:
    return Source(name, data=midi_bytes(piece))


def read(*pieces: Piece, **options: object) -> Corpus:
    sources = [source(piece, f"{i}.mid") for i, piece in enumerate(pieces)]
    return music.read(sources, **{"validation": 0, "transpose": "none", **options}, name="music")


def decoded(corpus: Corpus) -> list[Piece]:
    codec = Codec(**corpus.details["codec"])
    tokens = corpus.vocabulary.decode(corpus.ids)
    assert corpus.bounds is not None
    pairs = zip(corpus.bounds[:-1], corpus.bounds[1:], strict=True)
    return [codec.decode(tokens[start : end - 1]) for start, end in pairs]


def test_the_encoding_is_detected() -> None:
    two = Piece((Part((Note(0, 96, 60),)), Part((Note(0, 96, 67),))), (0,), 96)
    assert read(tune(1)).options["encoding"] == "melody"
    assert read(two).options["encoding"] == "polyphony"
    assert read(tune(1), encoding="polyphony").options["encoding"] == "polyphony"
    corpus = read(two, encoding="melody")
    assert "1 notes sound at the same time as others: left out" in corpus.notes[-1]
    assert read(tune(1), velocity=True).options["encoding"] == "polyphony"


def test_many_voices_need_two_tokens_per_note() -> None:
    chord = Part(tuple(Note(0, 96, 60 + i) for i in range(7)))
    corpus = read(Piece((chord,), (0,), 96))
    assert not corpus.details["codec"]["joint"]
    assert "lane:6" in corpus.vocabulary.tokens


def test_every_piece_ends_with_the_end_token() -> None:
    pieces = [tune(i) for i in range(1, 6)]
    corpus = read(*pieces)
    assert {p.parts for p in decoded(corpus)} == {p.parts for p in pieces}
    assert corpus.vocabulary.tokens[corpus.ids[-1]] == END


def test_pieces_are_transposed_to_c() -> None:
    in_g = Source("g.abc", data=b"X:1\nM:4/4\nL:1/4\nK:G\nGABc|dedB|GFGA|G4|]\n")
    corpus = music.read([in_g], transpose="c", validation=0, name="music")
    (piece,) = decoded(corpus)
    assert str(piece.key) == "C" and piece.notes[0].pitch in (60, 72)


def test_a_missing_key_is_estimated() -> None:
    corpus = read(piece_of("D4/4 E4/4 F#4/4 G4/4 A4/2 F#4/4 D4/2"))
    assert str(decoded(corpus)[0].key) == "D"
    assert corpus.notes[0] == "1 pieces name no key; it is estimated from their notes"


def test_final_degrees_are_counted() -> None:
    in_g = b"X:1\nM:4/4\nL:1/4\nK:G\nGABc|dedB|GFGA|G4|]\n"
    in_e_minor = in_g.replace(b"K:G", b"K:Em").replace(b"G4", b"[EB]4")
    sources = [Source("g.abc", data=in_g), Source("e.abc", data=in_e_minor)]
    for encoding in ("melody", "polyphony"):
        corpus = music.read(sources, name="music", validation=0, encoding=encoding)
        degrees = corpus.details["closes"]
        assert degrees["major"] == [1] + 11 * [0]
        degree = 7 if encoding == "melody" else 0  # of chords, the lowest note counts
        assert [i for i, count in enumerate(degrees["minor"]) if count] == [degree]


def test_augmentation_transposes_every_token() -> None:
    corpus = read(tune(3), transpose="augment")
    assert isinstance(corpus.variants, music.Transpositions)
    assert corpus.variants.table.shape == (12, len(corpus.vocabulary))
    (piece,) = decoded(corpus)
    codec = Codec(**corpus.details["codec"])
    for row, shift in zip(corpus.variants.table, music.SHIFTS, strict=True):
        moved = corpus.vocabulary.decode(row[corpus.ids[:-1]])
        assert codec.decode(moved) == piece.transposed(shift)


def test_batches_contain_a_piece_in_many_keys() -> None:
    corpus = read(tune(3), transpose="augment")
    assert corpus.bounds is not None and corpus.vocabulary.end_id is not None
    batches = PieceBatches(
        corpus.ids, corpus.bounds, corpus.vocabulary.end_id, 1, len(corpus.ids), 0,
        restarts=0, variants=corpus.variants,
    )  # fmt: skip
    keys = {
        token
        for _ in range(150)
        for token in corpus.vocabulary.decode(next(batches).inputs[0])
        if token.startswith("key:")
    }
    assert len(keys) == 12


def test_near_duplicates_stay_on_one_side_of_the_split() -> None:
    pieces = [tune(i % 7 + 1).transposed(i % 5) for i in range(70)]
    corpus = read(*pieces, validation=0.2)
    codec = Codec(**corpus.details["codec"])

    def openings(ids: np.ndarray) -> set[tuple[int, ...]]:
        texts = " ".join(corpus.vocabulary.decode(ids)).split(END)
        found = [codec.decode(text.split()).notes[:8] for text in texts if text.strip()]
        return {tuple(n.pitch - notes[0].pitch for n in notes) for notes in found}

    assert len(corpus.validation_ids) > 0
    assert not openings(corpus.training_ids) & openings(corpus.validation_ids)


def test_skipped_files_are_noted() -> None:
    bad = [Source(f"bad{i}.mid", data=b"MThd") for i in range(5)]
    corpus = music.read([source(tune(1)), *bad], validation=0, name="music")
    assert corpus.notes[0].startswith("skipped bad0.mid: is no MIDI file")
    assert corpus.notes[3] == "skipped 5 of 6 files; seqgen inspect says why"
    corpus = music.read([source(tune(1)), bad[0]], validation=0, name="music")
    assert corpus.notes[1] == "skipped 1 of 2 files"
    with pytest.raises(CorpusError, match=r"no music to learn from: bad0.mid is no MIDI file"):
        music.read(bad, name="music")
    with pytest.raises(CorpusError, match="there are no files"):
        music.read([], name="music")


def test_skipped_pieces_of_a_file_are_noted() -> None:
    data = b"X:1\nM:4/4\nL:1/4\nK:C\nz4|\n\nX:2\nM:4/4\nL:1/4\nK:C\nCDEF|\n"
    corpus = music.read([Source("two.abc", data=data)], validation=0, name="music")
    assert corpus.notes[:2] == (
        "skipped two.abc: X:1 holds no notes", "skipped 0 of 1 files, and 1 pieces of others"
    )  # fmt: skip


def test_what_tokens_leave_out_is_said() -> None:
    data = b'X:1\nM:4/4\nL:1/4\nQ:1/4=90\nK:C\n"C"CDEF|[Q:1/4=60]"G7"{a}GABc|\n'
    corpus = music.read([Source("tune.abc", data=data)], validation=0, name="music")
    assert "2 chord symbols dropped, 1 grace notes dropped" in corpus.notes
    assert "1 changes of tempo are left out" in corpus.notes


def test_a_file_that_is_too_dense_is_skipped() -> None:
    every = tuple(Note(0, 96, pitch) for pitch in range(100))
    dense = source(Piece((Part(every, 0), Part(every, 40)), (0,), 96), "dense.mid")
    corpus = music.read([source(tune(1)), dense], validation=0, encoding="polyphony", name="music")
    assert corpus.details["pieces"] == 1
    reason = "has more than 128 notes that sound at once"
    assert corpus.notes[0] == f"skipped dense.mid: {reason}"
    assert [reading.reason for reading in music_files.readings([dense])] == [reason]


def test_only_pieces_with_the_given_number_of_voices() -> None:
    four = Piece(tuple(Part((Note(0, 96, 60 + i),)) for i in range(4)), (0,), 96)
    corpus = read(tune(1), four, voices=4)
    assert corpus.details["pieces"] == 1
    assert "left out 1 pieces that do not have 4 voices" in corpus.notes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"transpose": "up"}, "transpose: expected none, augment, c, got 'up'"),
        ({"encoding": "melody", "velocity": True}, "velocity: the encoding melody leaves it out"),
        ({"encoding": "latin-1"}, "encoding: expected melody or polyphony for music"),
    ],
)
def test_options_out_of_range(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tune(1), **options)


def test_options_of_another_task_are_errors(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(midi_bytes(tune(1)))
    with pytest.raises(ConfigError, match=r"lines: expected an option of the task music"):
        load_corpus(tmp_path / "a.mid", lines=True)
    with pytest.raises(ConfigError, match=r"transpose: expected an option of the task text"):
        load_corpus("python-docs", transpose="c")


def test_music_files_are_detected(tmp_path: Path) -> None:
    midi, words = source(tune(1)), Source("a.txt", data=b"Dear Sir")
    assert task_of([midi, midi, words]) == "music"
    assert task_of([midi, words, words]) == "text"
    assert task_of([Source("tune", data=abc_text(tune(1)).encode())]) == "text"


def test_a_file_is_read_once(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    first = music_files.readings([source(tune(11))])
    monkeypatch.setattr(music_files, "read", None)
    assert music_files.readings([source(tune(11), "another name.mid")]) == first
    monkeypatch.setattr(music_files, "READER_VERSION", -1)
    with pytest.raises(TypeError):
        music_files.readings([source(tune(11))])


def test_a_piece_is_restricted_once_and_a_corpus_built_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def counted(method: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            calls.append(method.__qualname__)
            return method(*arguments, **options)

        return call

    monkeypatch.setattr(Codec, "restrict", counted(Codec.restrict))
    monkeypatch.setattr(Corpus, "__init__", counted(Corpus.__init__))
    for number in range(6):
        (tmp_path / f"{number}.mid").write_bytes(midi_bytes(tune(30 + number)))
    corpus = load_corpus(tmp_path, validation=0.2)
    next(training_batches(corpus, 2, 8, seed=0))
    assert calls == 6 * ["Codec.restrict"] + ["Corpus.__init__"]


def test_a_damaged_cache_entry_is_read_again(cache: Path) -> None:
    first = music_files.readings([source(tune(12))])
    for path in (cache / "music").iterdir():
        path.write_text(json.dumps({"pieces": [{}]}))
    assert music_files.readings([source(tune(12))]) == first


def test_many_files_are_read_in_parallel_with_any_backend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(music_files, "FEW_BYTES", 0)
    sources = []
    for i in range(6):
        path = tmp_path / f"{i}.mid"
        path.write_bytes(midi_bytes(tune(20 + i)))
        sources.append(Source(str(path), path))
    with joblib.parallel_config("threading"):
        found = music_files.readings(sources)
    assert [reading.pieces[0].parts for reading in found] == [
        read_music("a.mid", midi_bytes(tune(20 + i))).pieces[0].parts for i in range(6)
    ]


def test_a_named_corpus_of_music() -> None:
    sources = [s for s in load_sources("fiddle-tunes") if "Hornpipe" in s.label][:12]
    corpus = music.read(sources, name="hornpipes")
    assert corpus.details["pieces"] == 12
    assert corpus.options["encoding"] == "melody"


def load_sources(name: str) -> list[Source]:
    from seqgen.corpus import catalogue

    return catalogue.find([name]).sources

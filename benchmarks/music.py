"""Music: speed of reading and encoding, quality of learning, and measures of generated tunes.

    python -m benchmarks.music [--minutes 10] [--only reading|learning|writing] [--models FOLDER]

`reading` measures one core, and compares it with pretty_midi (`pip install 'seqgen[bench]'`).
`learning` trains on `irish-tunes` and `bach-chorales` for the given minutes with automatic options,
and compares the bits per note on held-out pieces with those of the best n-gram model of order 1 to
8 on the same tokens. `writing` compares 100 generated tunes of 16 bars with the corpus and with its
held-out tunes.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import median_seconds, print_table, run
from seqgen import model as library
from seqgen.evaluation import ngrams
from seqgen.music.io.midi_reader import read_midi
from seqgen.music.io.midi_writer import midi_bytes
from seqgen.music.io.read import read_file
from seqgen.music.io.write import write
from seqgen.music.piece import Note, Part, Piece
from seqgen.music.tokens.codec import Codec
from seqgen.tasks.load import load_corpus
from seqgen.tasks.music.samples import pieces_of

TUNES, BARS, TEMPERATURE = 100, 16, 0.9
AT_MOST = {
    "irish-tunes": (3.25, 1.3),
    "bach-chorales": (2.7, 1.0),
}  # bits per note; difference to n-grams
SUFFIXES = (".mid", ".musicxml", ".abc")
LONG = 40_000  # notes of the long file


def reading() -> None:
    """Speed of reading MIDI files and of the codecs, and time to load a cached corpus."""
    chorales = pieces_of(load_corpus("bach-chorales", transpose="none", validation=0))[0]
    random = np.random.default_rng(0)
    starts = np.cumsum(random.choice([0, 6, 6, 12], LONG)).tolist()
    pitches = random.integers(36, 96, LONG).tolist()
    notes = [Note(start, 6, pitch) for start, pitch in zip(starts, pitches, strict=True)]
    parts = tuple(Part(tuple(notes[i::4]), program=i) for i in range(4))
    long = Piece(parts, tuple(range(0, starts[-1] + 6, 96)), starts[-1] + 102)
    rows: list[tuple[str, ...]] = [
        ("files", "notes", "seqgen, notes/s", "pretty_midi", "ratio (at least 1)")
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, files in (("365 chorales", chorales), ("one long file", [long])):
            paths = [Path(folder) / f"{i}.mid" for i in range(len(files))]
            for path, piece in zip(paths, files, strict=True):
                path.write_bytes(midi_bytes(piece))
            total = sum(len(piece.notes) for piece in files)
            found = sum(read_midi(path.read_bytes()).notes for path in paths)
            assert found == total, (found, total)
            ours = median_seconds(lambda: [read_midi(p.read_bytes()) for p in paths], 3)  # noqa: B023
            row = [name, f"{total:,}", f"{total / ours:,.0f}"]
            if importlib.util.find_spec("pretty_midi"):
                from pretty_midi import PrettyMIDI

                theirs = median_seconds(lambda: [PrettyMIDI(str(p)) for p in paths], 3)  # noqa: B023
                row += [f"{total / theirs:,.0f}", f"{theirs / ours:.2f}"]
            rows.append(tuple(row))
    print_table("Reading MIDI", rows)
    coded: list[tuple[str, ...]] = [
        ("codec", "tokens", "encode, tokens/s", "decode (at least 300,000)")
    ]
    for name in ("irish-tunes", "bach-chorales"):
        corpus = load_corpus(name, validation=0)
        codec, pieces = Codec(**corpus.details["codec"]), pieces_of(corpus)[0]
        texts = [codec.encode(piece) for piece in pieces]
        encode = median_seconds(lambda: [codec.encode(piece) for piece in pieces], 3)  # noqa: B023
        decode = median_seconds(lambda: [codec.decode(text) for text in texts], 3)  # noqa: B023
        tokens = sum(map(len, texts))
        speeds = f"{tokens / encode:,.0f}", f"{tokens / decode:,.0f}"
        coded.append((codec.encoding, f"{tokens:,}", *speeds))
    print_table("Encoding and decoding", coded)
    again = median_seconds(lambda: load_corpus("irish-tunes"), 3)
    print_table("Loading irish-tunes from the cache", [("seconds (at most 1)",), (f"{again:.2f}",)])


def round_trips(piece: Piece, suffix: str) -> bool:
    """Whether a piece has the same notes and bars after it is written and read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"piece{suffix}"
        write(piece, path)
        again = read_file(path).pieces[0]
    return [p.notes for p in again.parts] == [p.notes for p in piece.parts] and (
        again.bar_lengths == piece.bar_lengths
    )


def learned(name: str, minutes: float, output: Path) -> tuple[str, ...]:
    """Train, and compare the bits per note with those of n-grams."""
    run("train", name, "-o", output, "--minutes", minutes)
    scores = library.load(output).data.scores
    corpus = load_corpus(name)
    per_note = math.log(2) * corpus.details["notes_per_validation_token"]
    losses = ngrams.losses(corpus.training_ids, corpus.validation_ids, len(corpus.vocabulary))
    best = min(losses) / per_note
    most, below = AT_MOST[name]
    bits = scores["bits_per_note"]
    return (
        name,
        f"{scores['seconds']:.0f} s",
        f"{bits:.3f} (at most {most})",
        f"{best:.3f}, order {losses.index(min(losses)) + 1}",
        f"{best - bits:.2f} (at least {below})",
    )


def learning(minutes: float, folder: Path) -> None:
    """Bits per note after the given time of training."""
    rows: list[tuple[str, ...]] = [("corpus", "time", "bits per note", "best n-gram", "difference")]
    rows += [learned(name, minutes, folder / f"{name}.keras") for name in AT_MOST]
    print_table(f"Learning, {minutes:g} minutes", rows)


def writing(path: Path) -> None:
    """Measures of generated tunes, and how many are unchanged after writing and reading them."""
    options = "--bars", BARS, "--temperature", TEMPERATURE, "--seed", 1
    print(f"\n{run('evaluate', path, '--samples', TUNES, *options).stdout}")
    pieces = library.load(path).pieces(TUNES, bars=BARS, temperature=TEMPERATURE, seed=1)
    new = [composition.piece for composition in pieces]
    unchanged = [sum(round_trips(piece, suffix) for piece in new) for suffix in SUFFIXES]
    files = [f"{count} of {len(new)}" for count in unchanged]
    print_table("Same notes and bars after writing and reading", [SUFFIXES, files])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="training time of each model")
    parser.add_argument("--only", choices=("reading", "learning", "writing"), help="run one part")
    parser.add_argument("--models", type=Path, help="folder for the trained models")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.models or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if options.only in (None, "reading"):
            reading()
        if options.only in (None, "learning"):
            learning(options.minutes, folder)
        if options.only in (None, "writing"):
            model = folder / "irish-tunes.keras"
            if not model.exists():
                run("train", "irish-tunes", "-o", model, "--minutes", options.minutes)
            writing(model)


if __name__ == "__main__":
    main()

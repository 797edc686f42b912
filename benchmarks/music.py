"""Music: how fast it is read and coded, how well it is learned, and what is written.

    python -m benchmarks.music [--minutes 10] [--only reading|learning|writing] [--models FOLDER]

Reading and coding run on one core beside pretty_midi (`pip install 'seqgen[bench]'`). Learning
trains on `irish-tunes` and `bach-chorales` for the minutes given, with all options chosen, and sets
the bits per note on held-out pieces beside the best n-gram of order 1 to 8 on the same tokens.
Writing sets 100 tunes of 16 bars beside the corpus, and beside its held-out tunes.
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
AT_MOST = {"irish-tunes": (3.25, 1.3), "bach-chorales": (2.7, 1.0)}  # bits per note; below n-grams
SUFFIXES = (".mid", ".musicxml", ".abc")
LONG = 40_000  # notes of the longest file that is read


def reading() -> None:
    """Notes per second from MIDI files, tokens per second, and the second load of a corpus."""
    chorales = pieces_of(load_corpus("bach-chorales", transpose="none", validation=0))[0]
    chance = np.random.default_rng(0)
    starts = np.cumsum(chance.choice([0, 6, 6, 12], LONG)).tolist()
    pitches = chance.integers(36, 96, LONG).tolist()
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
            kept = sum(len(read_midi(path.read_bytes())[0].notes) for path in paths)
            assert kept == total, (kept, total)
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
    print_table("Coding", coded)
    again = median_seconds(lambda: load_corpus("irish-tunes"), 3)
    print_table("Loading irish-tunes again", [("seconds (at most 1)",), (f"{again:.2f}",)])


def same_again(piece: Piece, suffix: str) -> bool:
    """Whether a file holds what was written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"piece{suffix}"
        write(piece, path)
        again = read_file(path).pieces[0]
    return [p.notes for p in again.parts] == [p.notes for p in piece.parts] and (
        again.bar_lengths == piece.bar_lengths
    )


def learned(name: str, minutes: float, output: Path) -> tuple[str, ...]:
    """Train, and set the bits per note beside those of n-grams."""
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
    """Bits per note after some minutes."""
    rows: list[tuple[str, ...]] = [("corpus", "took", "bits per note", "best n-gram", "below it")]
    rows += [learned(name, minutes, folder / f"{name}.keras") for name in AT_MOST]
    print_table(f"Learning, {minutes:g} minutes", rows)


def writing(path: Path) -> None:
    """New tunes beside the corpus that they were learned from, and what files hold of them."""
    options = "--bars", BARS, "--temperature", TEMPERATURE, "--seed", 1
    print(f"\n{run('evaluate', path, '--samples', TUNES, *options).stdout}")
    pieces = library.load(path).pieces(TUNES, bars=BARS, temperature=TEMPERATURE, seed=1)
    new = [each.piece for each in pieces]
    kept = [sum(same_again(piece, suffix) for piece in new) for suffix in SUFFIXES]
    files = [f"{count} of {len(new)}" for count in kept]
    print_table("Written and read again with the same notes and bars", [SUFFIXES, files])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--only", choices=("reading", "learning", "writing"))
    parser.add_argument("--models", type=Path, help="a folder for what is trained")
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

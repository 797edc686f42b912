"""Train on tunes that come with music21, then write a new tune to a MIDI file."""

import argparse
from pathlib import Path

import seqgen
from seqgen.music.io.write import write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", default="fiddle-tunes", help="a name or a folder")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--output", type=Path, default=Path("tune.mid"))
    arguments = parser.parse_args()

    corpus = seqgen.load_corpus(arguments.corpus)
    model = seqgen.train(corpus, minutes=arguments.minutes)
    piece = model.compose(bars=8, temperature=0.9, seed=1)
    write(piece, arguments.output)  # the suffix names the format, such as .mid, .abc or .wav
    print(f"{arguments.output}: {len(piece.bars)} bars, {piece.note_count} notes")


if __name__ == "__main__":
    main()

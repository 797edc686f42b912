"""Train on a text file, then write new text with the model."""

import argparse

import seqgen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", help="a text file, or a name that `seqgen corpora` lists")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--output", default="text.keras", help="model file")
    arguments = parser.parse_args()

    corpus = seqgen.load_corpus(arguments.corpus)
    print(f"{len(corpus.ids):,} characters, {len(corpus.vocabulary)} of them distinct")

    model = seqgen.train(corpus, minutes=arguments.minutes)
    model.save(arguments.output)

    # `stream` yields characters while they are generated; `generate` returns the whole text.
    for character in model.stream(prompt="The ", length=300, temperature=0.7, seed=1):
        print(character, end="", flush=True)
    print()


if __name__ == "__main__":
    main()

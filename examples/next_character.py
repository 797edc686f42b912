"""Print the most likely next characters after a text, and how well the model predicts the text."""

import argparse

import numpy as np

import seqgen
from seqgen.evaluation.loss import losses
from seqgen.sampling.sampler import log_probabilities


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a model of text")
    parser.add_argument("text", help="at least two characters that the model knows")
    arguments = parser.parse_args()

    model = seqgen.load(arguments.model)
    vocabulary = model.data.vocabulary
    ids = vocabulary.encode(arguments.text)

    # An engine maps ids (B,) and a state to logits (B, V) and the next state.
    state = model.engine.initial_state(1)
    for token in ids:
        logits, state = model.engine.step(np.array([token]), state)
    probabilities = np.exp(log_probabilities(logits))[0]
    for token in np.argsort(-probabilities)[:5]:
        print(f"{vocabulary.tokens[token]!r:>6} {probabilities[token]:6.1%}")

    bits = losses(model.engine, ids, first=1) / np.log(2)  # (T - 1,)
    print(f"{bits.mean():.3f} bits per character")


if __name__ == "__main__":
    main()

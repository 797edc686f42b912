"""What a network of images should read: the table of `python -m benchmarks.images --only inputs`.

A network is trained on pictures in several encodings: with or without tokens between rows, and with
or without pixels that it reads again. All are trained for the same number of epochs, with the same
options, and scored in bits per pixel of held-out pictures; tokens between rows and the end token
cost bits, too.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.measure import print_table
from seqgen.corpus.corpus import Corpus
from seqgen.tasks.images.metadata import grid_of
from seqgen.tasks.load import load_corpus
from seqgen.training.train import train

LETTERS, LETTER_SIDE = 1000, 20
LETTER_EPOCHS = 0.5  # of those for `digits`, which are shorter


class Encoding(NamedTuple):
    """What stands between two rows, and which pixels are read again."""

    between_rows: str  # "nothing", "a token" or "a number"
    lags: Callable[[int], list[int]] = lambda step: []  # from the tokens of a row


ENCODINGS = {
    "pixels only": Encoding("nothing"),
    "a token between rows, always the same": Encoding("a token"),
    "numbers of rows": Encoding("a number"),
    "the pixel above the next": Encoding("nothing", lambda step: [step - 1]),
    "numbers of rows, the pixel above": Encoding("a number", lambda step: [step - 1]),
    "and those above left and above right": Encoding(
        "a number", lambda step: [step - 1, step, step - 2]
    ),
    "and the pixel two above (seqgen)": Encoding(
        "a number", lambda step: [step - 1, step, step - 2, 2 * step - 1]
    ),
}
OPTIONS: dict[str, Any] = {
    "units": 128,
    "embedding": 64,
    "batch_size": 32,
    "window": 64,
    "dropout": 0.3,
    "recurrent_dropout": 0,
    "weight_decay": 0.05,
    "precision": "float32",
}


def print_inputs(epochs: float) -> None:
    """Print the bits per pixel of networks that read different things."""
    rows: list[tuple[str, ...]] = [("the network reads", "digits, 8 x 8", "letters, 20 x 20")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "letters.npz"
        np.savez(path, images=np.stack([*letters(LETTERS)]))
        corpora = [load_corpus("digits"), load_corpus(path, levels=8)]
    lengths = epochs, LETTER_EPOCHS * epochs
    for name, encoding in ENCODINGS.items():
        found = [
            bits_per_pixel(encoded(corpus, encoding), length)
            for corpus, length in zip(corpora, lengths, strict=True)
        ]
        rows.append((name, *(f"{bits:.3f}" for bits in found)))
        print(*rows[-1], file=sys.stderr, sep="  ")
    title = f"Inputs: bits per pixel after {lengths[0]:g} and {lengths[1]:g} epochs, LSTM 1 x 128"
    print_table(title, rows)


def bits_per_pixel(corpus: Corpus, epochs: float) -> float:
    """The bits per pixel of held-out pictures, after training."""
    model = train(corpus, epochs=epochs, index=False, mix=False, **OPTIONS)
    return float(model.data.scores["bits_per_pixel"])


def encoded(corpus: Corpus, encoding: Encoding) -> Corpus:
    """The pictures of a corpus in another encoding.

    Args:
        corpus: of images, with the number of the next row between two rows.
        encoding: for its pictures.
    """
    grid = grid_of(corpus.metadata())
    ids = np.array(corpus.ids).reshape(-1, grid.height, grid.width + 1)
    first_row_number = ids[0, 0, -1]
    step = grid.width + 1
    if encoding.between_rows == "a token":
        ids[:, :-1, -1] = first_row_number
    pictures = ids.reshape(len(ids), grid.length)
    if encoding.between_rows == "nothing":
        step = grid.width
        pictures = pictures[:, (pictures[0] < first_row_number)]  # the end token is 0
    assert corpus.cuts is not None
    length = pictures.shape[1]
    return dataclasses.replace(
        corpus,
        ids=pictures.ravel(),
        bounds=np.arange(len(pictures) + 1) * length,
        cuts=corpus.cuts // grid.length * length,
        network={"lags": encoding.lags(step)},
    )


def letters(count: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield letters in many fonts, turned by up to 15 degrees, always the same."""
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    fonts = sorted(Path(matplotlib.get_data_path(), "fonts", "ttf").glob("DejaVu*.ttf"))
    random = np.random.default_rng(0)
    for _ in range(count):
        font = ImageFont.truetype(fonts[random.integers(len(fonts))], int(random.integers(56, 72)))
        image = Image.new("L", (80, 80))
        letter = chr(random.integers(ord("A"), ord("Z") + 1))
        ImageDraw.Draw(image).text((40, 40), letter, 255, font, anchor="mm")
        turned = image.rotate(random.uniform(-15, 15), Image.Resampling.BICUBIC)
        yield np.asarray(turned.resize((LETTER_SIDE, LETTER_SIDE), Image.Resampling.BOX))

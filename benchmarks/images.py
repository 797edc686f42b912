"""Images: loss on `digits`, and whether generated digits look like digits to a classifier.

    python -m benchmarks.images [--only inputs|learning|looks] [--minutes 3] [--count 1000]
                                [--model FILE] [--options '…'] [--sheet FILE] [--epochs 12]

Needs scikit-learn: `pip install 'seqgen[datasets]'`.

`inputs` trains networks that read different pixels again, for the given epochs, on `digits` and on
letters of 20 x 20 pixels in fonts of matplotlib.

For the others a model is trained on `digits` for the given minutes with automatic options, unless
`--model` names one. `learning` compares its bits per pixel on the held-out tenth with those of the
best causal context model. `looks` classifies generated digits by support vector machines, one per
class, trained on the real digits of the training part. The margin of a picture is the distance from
the value of its class to that of the next one; a margin is as for real digits if it is larger than
those of the lowest twentieth of the held-out digits. `--sheet` writes a contact sheet of 100 of the
generated digits.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.measure import print_table, run
from seqgen import model as library
from seqgen.corpus import digits
from seqgen.model import Model
from seqgen.tasks.images.colours import values
from seqgen.tasks.images.generate import Picture
from seqgen.tasks.images.metadata import grid_of
from seqgen.tasks.images.output import sheet
from seqgen.tasks.images.samples import pictures_of
from seqgen.tasks.load import load_corpus
from seqgen.training.train import train

BITS_SAVED = 0.10  # aim: share of the bits of the context model
SURE = 0.90  # aim: share of generated digits with a margin as for real digits
LOWEST = 0.05  # share of held-out digits whose margin is not asked for
ON_SHEET = 100
TEMPERATURES = (0.8, 1.0)

LAGS: dict[str, Callable[[int], list[int]]] = {  # name → lags, from the width of the pictures
    "the last pixel": lambda width: [],
    "and the pixel above the next": lambda width: [width],
    "and those above left and above right": lambda width: [width, width - 1, width + 1],
}
LETTERS, LETTER_SIDE = 2000, 20

Features = npt.NDArray[np.float64]  # (N, 64), grey levels from 0 to 16
Labels = npt.NDArray[np.int64]


def letters(path: Path) -> None:
    """Write turned letters in many fonts as an array of pictures, always the same."""
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    fonts = sorted(Path(matplotlib.get_data_path(), "fonts", "ttf").glob("DejaVu*.ttf"))
    random = np.random.default_rng(0)
    pictures: list[npt.NDArray[np.uint8]] = []
    while len(pictures) < LETTERS:
        font = ImageFont.truetype(fonts[random.integers(len(fonts))], int(random.integers(56, 72)))
        image = Image.new("L", (80, 80))
        letter = chr(random.integers(ord("A"), ord("Z") + 1))
        ImageDraw.Draw(image).text((40, 40), letter, 255, font, anchor="mm")
        turned = image.rotate(random.uniform(-15, 15), Image.Resampling.BICUBIC)
        small = turned.resize((LETTER_SIDE, LETTER_SIDE), Image.Resampling.BOX)
        pictures.append(np.asarray(small))
    np.savez(path, images=np.stack(pictures))


def inputs(epochs: float) -> None:
    """Print the bits per pixel of networks that read different pixels again."""
    rows: list[tuple[str, ...]] = [("the network reads", "digits, 8 x 8", "letters, 20 x 20")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "letters.npz"
        letters(path)
        corpora = [load_corpus("digits"), load_corpus(path, levels=8)]
    for name, lags in LAGS.items():
        bits = []
        for corpus in corpora:
            width = grid_of(corpus.metadata()).width
            variant = dataclasses.replace(corpus, network={"lags": lags(width)})
            model = train(variant, epochs=epochs, units=128, embedding=64, batch_size=32, window=64,
                          dropout=0.2, recurrent_dropout=0, precision="float32")  # fmt: skip
            bits.append(f"{model.data.scores['bits_per_pixel']:.3f}")
        rows.append((name, *bits))
    print_table(f"Inputs: bits per pixel after {epochs:g} epochs, LSTM 1 x 128", rows)


def learning(path: Path) -> None:
    """Print the bits per pixel of a model and of the context model."""
    scores = json.loads(run("evaluate", path, "--json").stdout)
    bits, baseline = scores["bits_per_pixel"], scores["baseline"]["bits_per_pixel"]
    rows = [
        ("corpus", "bits per pixel", scores["baseline"]["model"], "fewer (at least 10 %)"),
        ("digits", f"{bits:.3f}", f"{baseline:.3f}", f"{1 - bits / baseline:.1%}"),
    ]
    print_table("Learning", rows)
    print(verdict(bits <= (1 - BITS_SAVED) * baseline))


def generated(model: Model, temperature: float, count: int) -> list[Picture]:
    """New digits, always the same."""
    return [*model.pictures(count, temperature=temperature, seed=0)]


def features(pixels: npt.NDArray[Any]) -> Features:
    """Grey pictures `(N, 8, 8)` from 0 to 255 as `(N, 64)` from 0 to 16."""
    return pixels.reshape(len(pixels), -1).astype(np.float64) * (digits.LEVELS - 1) / 255


def real_digits(model: Model) -> tuple[Features, Labels, Features, Labels]:
    """The digits of the training part and those held out, with their labels."""
    (source,) = digits.read()
    with np.load(source.open()) as arrays:
        labels = {
            image.tobytes(): int(label)
            for image, label in zip(arrays["images"], arrays["labels"], strict=True)
        }
    grid = grid_of(model.data.corpus)
    corpus = load_corpus("digits", **model.data.corpus["options"])
    levels = values(grid.colours)[:, 0]
    parts: list[Any] = []
    for pictures in pictures_of(corpus, grid):
        pixels = levels[pictures]
        parts += [features(pixels), np.array([labels[each.tobytes()] for each in pixels])]
    return parts[0], parts[1], parts[2], parts[3]


def classes_and_margins(classifier: Any, pictures: Features) -> tuple[Labels, Features]:
    """The class of every picture, and by how much it leads over the next one."""
    distances = np.sort(decision := classifier.decision_function(pictures), axis=1)
    return decision.argmax(axis=1), distances[:, -1] - distances[:, -2]


def looks(model: Model, count: int) -> None:
    """Print how generated digits are classified."""
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.svm import SVC

    training, labels, held_out, held_out_labels = real_digits(model)
    classifier = OneVsRestClassifier(SVC(gamma=0.001, C=10)).fit(training, labels)
    real, margins = classes_and_margins(classifier, held_out)
    least = float(np.quantile(margins, LOWEST))
    rows = [
        ("digits", "margin as for real digits (at least 90 %)", "above the least of a real digit",
         "of each class, with that margin", "longest copy, pixels")
    ]  # fmt: skip
    rows.append(
        (f"{len(held_out)} held out, {(real == held_out_labels).mean():.1%} classified rightly",
         f"{(margins > least).mean():.1%}", f"{(margins > margins.min()).mean():.1%}",
         " ".join(map(str, np.bincount(real[margins > least], minlength=10))), "")
    )  # fmt: skip
    smallest, passed = margins.min(), False
    for temperature in TEMPERATURES:
        pictures = generated(model, temperature, count)
        pixels = np.stack([picture.pixels[:, :, 0] for picture in pictures])
        found, margins = classes_and_margins(classifier, features(pixels))
        counts = np.bincount(found[margins > least], minlength=10)
        sure = float((margins > least).mean())
        longest = [picture.longest_copy or 0 for picture in pictures]
        rows.append(
            (f"{count} generated, temperature {temperature}", f"{sure:.1%}",
             f"{(margins > smallest).mean():.1%}", " ".join(map(str, counts)),
             f"{max(longest)}, median {np.median(longest):.0f}")
        )  # fmt: skip
        passed |= sure >= SURE and counts.min() > 0
    print_table("Generated digits, classified by support vector machines", rows)
    print(verdict(passed))


def verdict(passed: bool) -> str:
    """Whether an aim is reached."""
    return "\naim reached" if passed else "\naim missed"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("inputs", "learning", "looks"))
    parser.add_argument("--epochs", type=float, default=12)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--options", default="", help="further options of seqgen train")
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    if arguments.only in (None, "inputs"):
        inputs(arguments.epochs)
    if arguments.only == "inputs":
        return
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.model or Path(folder) / "digits.keras"
        if not arguments.model:
            further = shlex.split(arguments.options)
            run("train", "digits", "-o", path, "--minutes", arguments.minutes, *further)
        model = library.load(path)
        if arguments.only != "looks":
            learning(path)
    if arguments.only != "learning":
        looks(model, arguments.count)
    if arguments.sheet:
        pictures = generated(model, TEMPERATURES[0], ON_SHEET)
        sheet(pictures, columns=20).save(arguments.sheet)


if __name__ == "__main__":
    main()

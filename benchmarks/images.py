"""Images: loss on `digits`, and whether generated digits look like digits to a classifier.

    python -m benchmarks.images [--only inputs|learning|looks] [--minutes 3] [--count 1000]
                                [--model FILE] [--options '…'] [--sheet FILE] [--epochs 12]

Needs scikit-learn: `pip install 'seqgen[datasets]'`.

`inputs` trains networks that read different things, for the given epochs, on `digits` and on
letters of 20 x 20 pixels in fonts of matplotlib, see `benchmarks.image_inputs`.

For the others a model is trained on `digits` for the given minutes, with `--augment` and automatic
options, unless `--model` names one. `learning` compares its bits per pixel on the held-out tenth
with those of the best causal context model. `looks` classifies generated digits by support vector
machines, one per class, trained on the real digits of the training part. The margin of a picture is
the distance from the value of its class to that of the next one; a margin is as for real digits if
it is larger than those of the lowest twentieth of real digits that the machines have not seen, in a
cross-validation on the training part. Distances are Euclidean, with levels from 0 to 16. `--sheet`
writes a contact sheet of 100 of the generated digits.
"""

from __future__ import annotations

import argparse
import json
import shlex
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.image_inputs import print_inputs
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

BITS_SAVED = 0.10  # aim: share of the bits of the context model
SURE = 0.90  # aim: share of generated digits with a margin as for real digits
LOWEST = 0.05  # share of real digits whose margin is not asked for
ON_SHEET = 100
FOLDS = 10  # of the cross-validation that finds the margin of real digits
SAMPLING: tuple[dict[str, float], ...] = (  # the first one is recommended, and on the sheet
    {"temperature": 1.0, "top_p": 0.9},
    {"temperature": 1.0},
    {"temperature": 0.8},
)

Features = npt.NDArray[np.float64]  # (N, 64), grey levels from 0 to 16
Labels = npt.NDArray[np.int64]


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


def generated(model: Model, options: dict[str, float], count: int) -> list[Picture]:
    """New digits, always the same."""
    return [*model.pictures(count, seed=0, **options)]


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


def machines(pictures: Features, labels: Labels) -> Any:
    """Support vector machines, one per class."""
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.svm import SVC

    return OneVsRestClassifier(SVC(gamma=0.001, C=10)).fit(pictures, labels)


def classes_and_margins(classifier: Any, pictures: Features) -> tuple[Labels, Features]:
    """The class of every picture, and by how much it leads over the next one."""
    distances = np.sort(decision := classifier.decision_function(pictures), axis=1)
    return decision.argmax(axis=1), distances[:, -1] - distances[:, -2]


def margin_of_real_digits(pictures: Features, labels: Labels) -> float:
    """The margin that all but the lowest twentieth of real digits have.

    Every digit is classified by machines that have not seen it, in a cross-validation.
    """
    from sklearn.model_selection import StratifiedKFold

    margins = np.empty(len(pictures))
    for seen, unseen in StratifiedKFold(FOLDS).split(pictures, labels):
        classifier = machines(pictures[seen], labels[seen])
        _, margins[unseen] = classes_and_margins(classifier, pictures[unseen])
    return float(np.quantile(margins, LOWEST))


def distances(pictures: Features, others: Features) -> Features:
    """The distance of every picture to the nearest of the others."""
    nearest = [np.sqrt(((others - picture) ** 2).sum(axis=1)).min() for picture in pictures]
    return np.array(nearest)


def looks(model: Model, count: int) -> None:
    """Print how generated digits are classified."""
    training, labels, held_out, held_out_labels = real_digits(model)
    least = margin_of_real_digits(training, labels)
    classifier = machines(training, labels)

    def row(name: str, pictures: Features, copies: str) -> tuple[float, Labels, tuple[str, ...]]:
        found, margins = classes_and_margins(classifier, pictures)
        share, counts = (margins > least).mean(), np.bincount(found[margins > least], minlength=10)
        distance = np.median(distances(pictures, training))
        return share, counts, (
            name, f"{share:.1%}", " ".join(map(str, counts)), f"{distance:.1f}", copies
        )  # fmt: skip

    right = (classifier.predict(held_out) == held_out_labels).mean()
    rows = [
        ("digits", "margin as for real digits (at least 90 %)", "of classes 0 to 9, with it",
         "distance to the nearest real one, median", "longest copy, pixels"),
        row(f"{len(held_out)} held out, {right:.1%} classified rightly", held_out, "")[2],
    ]  # fmt: skip
    passed = False
    for options in SAMPLING:
        pictures = generated(model, options, count)
        pixels = np.stack([picture.pixels[:, :, 0] for picture in pictures])
        copies = [picture.longest_copy or 0 for picture in pictures]
        words = ", ".join(f"{name.replace('_', '-')} {value}" for name, value in options.items())
        share, counts, cells = row(
            f"{count} generated, {words}",
            features(pixels),
            f"{max(copies)}, median {np.median(copies):.0f}",
        )
        rows.append(cells)
        passed |= share >= SURE and counts.min() > 0
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
    parser.add_argument("--options", default="--augment", help="of seqgen train")
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    if arguments.only in (None, "inputs"):
        print_inputs(arguments.epochs)
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
        pictures = generated(model, SAMPLING[0], ON_SHEET)
        sheet(pictures, columns=20).save(arguments.sheet)


if __name__ == "__main__":
    main()

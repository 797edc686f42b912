"""Variants of pictures are pictures of the same size and colours, which the network can tell."""

from pathlib import Path

import numpy as np
import pytest

from seqgen import load_corpus
from seqgen.errors import ConfigError
from seqgen.tasks import base
from seqgen.tasks.images.augmentation import UNCHANGED, Variants
from seqgen.tasks.images.grid import Grid
from seqgen.tasks.images.metadata import grid_of
from seqgen.training.batches import training_batches
from tests.tasks.images.pictures import stripes, write_folder

COLOURS = {
    "grey": ("#000000", "#404040", "#808080", "#ffffff"),
    "palette": ("#0000ff", "#ff0000", "#00ff00", "#ffffff"),
}


@pytest.mark.parametrize("colours", COLOURS.values(), ids=COLOURS)
@pytest.mark.parametrize(("width", "height"), [(8, 8), (5, 9), (1, 6), (6, 1)])
def test_a_variant_is_a_picture_of_the_same_size(
    width: int, height: int, colours: tuple[str, ...]
) -> None:
    grid, random = Grid(width, height, colours), np.random.default_rng(0)
    variants = Variants(grid)
    indices = random.integers(0, len(colours), (height, width), np.uint8)
    ids = grid.encode(indices)
    for _ in range(20):
        found = variants(ids, random)
        np.testing.assert_array_equal(found, grid.encode(grid.decode(found)))
        assert grid.decode(found).max() < len(colours)


def test_a_picture_is_changed_a_little_and_its_edges_are_continued() -> None:
    grid, random = Grid(12, 12, COLOURS["grey"]), np.random.default_rng(0)
    variants = Variants(grid)
    disc = np.zeros((12, 12), np.uint8)
    disc[3:9, 4:8] = 3
    ids, flat = grid.encode(disc), grid.encode(np.full((12, 12), 2, np.uint8))
    drawn = [variants(ids, random) for _ in range(300)]
    changed = [found for found in drawn if found is not ids]
    assert abs(len(changed) / len(drawn) - (1 - UNCHANGED)) < 0.1
    assert len({found.tobytes() for found in changed}) > 0.9 * len(changed)
    shares = [(grid.decode(found) != disc).mean() for found in changed]
    assert 0.02 < np.mean(shares) < 0.25
    mean = np.mean([grid.decode(found) for found in changed], axis=0)
    assert abs(mean - disc).max() < 1.6  # in the middle they are where the picture is
    for _ in range(20):
        np.testing.assert_array_equal(variants(flat, random), flat)


def test_the_network_can_tell_variants_from_pictures(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "stripes", stripes(60, width=8, height=8))
    corpus = load_corpus(folder, augment=True)
    assert corpus.options["augment"] is True
    grid = grid_of(corpus.metadata())
    size, length = len(corpus.vocabulary), grid.length
    known = {corpus.piece(number).tobytes() for number in range(corpus.training_pieces)}
    batches = training_batches(corpus, batch_size=4, window=length, seed=0)
    seen = {True: 0, False: 0}
    for _ in range(40):
        inputs, targets, _ = next(batches)
        for rows, picture in zip(inputs, targets, strict=True):
            if rows[0, 0] or targets[0, -1]:  # a picture does not begin with the window
                continue
            is_known = picture.astype(corpus.ids.dtype).tobytes() in known
            (mark,) = set(rows[1 : grid.width, 1] - size)  # above the first row
            assert mark == size - 1 or (mark == 0 and is_known)
            above = rows[grid.width :, 1] - size  # the pixel above the next one
            np.testing.assert_array_equal(above[1:], picture[: -grid.width - 1])
            seen[mark == 0] += 1
    assert 0.15 < seen[True] / (seen[True] + seen[False]) < 0.5


def test_the_position_in_the_batches_is_restored(tmp_path: Path) -> None:
    corpus = load_corpus(write_folder(tmp_path / "stripes", stripes(40)), augment=True)
    batches, others = (training_batches(corpus, 4, 16, seed) for seed in (0, 1))
    for _ in range(5):
        next(batches)
    others.load_state_dict(batches.state_dict())
    for _ in range(5):
        for expected, found in zip(next(batches), next(others), strict=True):
            np.testing.assert_array_equal(expected, found)


def test_variants_are_an_option_of_the_corpus_not_of_its_encoding(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "stripes", stripes(40))
    corpus, plain = load_corpus(folder, augment=True), load_corpus(folder)
    np.testing.assert_array_equal(corpus.ids, plain.ids)
    task, metadata = base.get("images"), corpus.metadata()
    task.require_valid(metadata, corpus.vocabulary)
    assert task.encoding(metadata) == task.encoding(plain.metadata())
    assert "augment" not in task.corpus_options(metadata)
    text = tmp_path / "text.txt"
    text.write_text("no picture\n" * 50)
    with pytest.raises(ConfigError, match="augment: expected an option of the task text"):
        load_corpus(text, augment=True)

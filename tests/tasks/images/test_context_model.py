"""The baseline counts pixels given those around them."""

from itertools import product

import numpy as np
import pytest

from seqgen.tasks.images.context_model import NEIGHBOURS, best_order, losses


def test_the_best_order_begins_with_the_neighbour_that_decides() -> None:
    random = np.random.default_rng(0)
    rows = random.integers(0, 3, (200, 1, 5)).astype(np.uint8)
    columns = np.repeat(rows, 6, axis=1)  # every pixel equals the one above
    order = best_order(columns[:150], columns[150:], 3)
    assert order[0] == "above"
    turned = columns.transpose(0, 2, 1)
    assert best_order(turned[:150], turned[150:], 3)[0] == "left"


@pytest.mark.parametrize("length", [0, 1, 2, 4])
def test_the_probabilities_of_all_pictures_add_up_to_one(length: int) -> None:
    random = np.random.default_rng(1)
    training = random.integers(0, 2, (5, 2, 3)).astype(np.uint8)
    order = tuple(NEIGHBOURS)[:length]
    total = 0.0
    for pixels in product(range(2), repeat=6):
        picture = np.array(pixels, np.uint8).reshape(1, 2, 3)
        total += np.exp(-6 * losses(training, picture, 2, order)[-1])
    assert total == pytest.approx(1)


def test_a_context_that_was_never_seen_falls_back() -> None:
    training = np.zeros((4, 2, 2), np.uint8)
    scored = np.ones((1, 2, 2), np.uint8)
    found = losses(training, scored, 2, ("left", "above"))
    # Witten and Bell: 16 zeros, one kind: P(1) = 1 * 1/2 / (16 + 1)
    assert found[0] == pytest.approx(np.log(34))
    assert np.isfinite(found).all()

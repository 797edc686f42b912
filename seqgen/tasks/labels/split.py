"""The split of examples: every label has its share in both parts, near-duplicates are together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


def stratified(
    labels: Sequence[int] | Numbers, groups: Sequence[int] | Numbers, validation: float
) -> tuple[Numbers, Numbers]:
    """Split examples at random, always in the same way.

    Args:
        labels: the class of every example, `(N,)`.
        groups: the group of every example; a group is on one side, and counts as its first label.
        validation: share of every class that is held out. A class in one group is not.

    Returns:
        The indices of the training part and of the validation part, both shuffled.

    >>> training, held_out = stratified([0] * 10 + [1] * 20, range(30), 0.1)
    >>> len(training), sorted((held_out >= 10).tolist())
    (27, [False, True, True])
    """
    random = np.random.default_rng(0)
    members: dict[int, list[int]] = defaultdict(list)
    for number, group in enumerate(groups):
        members[int(group)].append(number)
    by_label: dict[int, list[list[int]]] = defaultdict(list)
    for group_members in members.values():
        by_label[int(labels[group_members[0]])].append(group_members)
    held_out: list[int] = []
    for label in sorted(by_label):
        candidates = by_label[label]
        wanted = round(validation * sum(map(len, candidates)))
        if validation and not wanted and len(candidates) > 2:
            wanted = 1
        chosen: list[int] = []
        for place in random.permutation(len(candidates))[1:]:  # the first one is for training
            if len(chosen) + len(candidates[place]) <= wanted:
                chosen += candidates[place]
        held_out += chosen
    is_training = np.ones(len(labels), bool)
    is_training[held_out] = False
    return (
        random.permutation(np.flatnonzero(is_training)),
        random.permutation(np.array(held_out, np.int64)),
    )

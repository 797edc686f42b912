import numpy as np
import pytest

from seqgen.corpus.streams import StreamWindows


@pytest.mark.parametrize("window", [1, 64])
@pytest.mark.parametrize("streams", [1, 64])
@pytest.mark.parametrize("first, count", [(500, 200), (699, 1), (1, 699), (400, 70), (5, 0)])
def test_every_token_is_scored_once(first: int, count: int, streams: int, window: int) -> None:
    ids = np.arange(700)
    windows = StreamWindows(ids, first, count, streams, window, warm_up=64)
    scored = np.zeros(len(ids), int)
    for inputs, targets, positions, is_scored in windows:
        assert inputs.shape == is_scored.shape == (streams, window)
        assert (inputs + 1 == targets).all() and (positions == targets).all()
        np.add.at(scored, targets[is_scored], 1)
    assert scored[first : first + count].tolist() == [1] * count
    assert scored.sum() == count
    assert len(windows) == len(list(windows))

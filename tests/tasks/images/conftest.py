"""A model of striped pictures that several tests share."""

from pathlib import Path

import pytest

from seqgen import load_corpus, train
from tests.tasks.images.pictures import stripes, write_folder


@pytest.fixture(scope="session")
def striped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a model that has learned that all rows of a picture are equal."""
    folder = tmp_path_factory.mktemp("images")
    corpus = load_corpus(write_folder(folder / "stripes", stripes(300)))
    model = train(
        corpus, epochs=10, units=32, embedding=16, batch_size=8, window=16, learning_rate=0.02,
        dropout=0, recurrent_dropout=0, weight_decay=0,
    )  # fmt: skip
    model.save(folder / "striped.keras")
    return folder / "striped.keras"

import inspect

import seqgen
from seqgen import errors


def test_every_error_is_a_seqgen_error_and_is_exported() -> None:
    for name, error in inspect.getmembers(errors, inspect.isclass):
        assert issubclass(error, errors.SeqgenError)
        assert getattr(seqgen, name) is error


def test_the_exported_names() -> None:
    assert seqgen.__all__ == [
        *("Callback", "CheckpointError", "ConfigError", "Corpus", "CorpusError", "DownloadError"),
        *("Model", "ModelConfig", "ModelFileError", "MusicError", "OutputError", "Progress"),
        *(
            "SampleConfig",
            "SeqgenError",
            "TrainConfig",
            "TrainingError",
            "Vocabulary",
            "VocabularyError",
        ),
        *("WorkerError", "__version__", "load", "load_corpus", "train"),
    ]
    for name in seqgen.__all__:
        assert getattr(seqgen, name)


def test_messages_are_one_line() -> None:
    assert str(errors.CorpusError("two\nlines\u2028\x1b[2J")) == r"two\nlines\u2028\x1b[2J"
    assert str(errors.OutputError("two\nlines")) == r"two\nlines"


def test_a_long_path_keeps_its_end() -> None:
    assert errors.shown("a/" * 90 + "b.keras") == "a/" * 90 + "b.keras"
    long = errors.shown("a/" * 2000 + "b.keras")
    assert long.startswith("…") and long.endswith("/a/b.keras") and len(long) == 200

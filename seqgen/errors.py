"""The exceptions that seqgen raises.

    SeqgenError                 base class; the command line prints one line and exits with 1
    ├── ConfigError             an invalid option, or options that exclude each other
    ├── CorpusError             a corpus that cannot be found, read or split
    │   └── DownloadError       a corpus that cannot be downloaded, or fails its checksum
    ├── MusicError              invalid notes, key or meter, or a file that is not music
    ├── VocabularyError         tokens that are not in a vocabulary
    ├── ModelFileError          a file that is not a model, is damaged, or has another version
    ├── CheckpointError         a missing or damaged checkpoint, or one of another run
    ├── OutputError             a file that cannot be written
    ├── WorkerError             a lost machine of a distributed run
    └── TrainingError           a training run that cannot start or continue

Every message says what was expected, what was found, and what to do.
"""

import unicodedata

ESCAPED = ("Cc", "Zl", "Zp")  # categories of control characters and of line separators


def one_line(text: str) -> str:
    r"""A text with its control characters escaped: a file name may have newlines, or worse.

    >>> one_line("two\nlines")
    'two\\nlines'
    """
    return "".join(
        repr(character)[1:-1] if unicodedata.category(character) in ESCAPED else character
        for character in text
    )


class SeqgenError(Exception):
    """Base class of all errors that seqgen raises on purpose; the message is one line."""

    def __str__(self) -> str:
        return one_line(super().__str__())


class ConfigError(SeqgenError, ValueError):
    """An option that is unknown, out of range, or incompatible with another one."""


class CorpusError(SeqgenError):
    """A corpus that cannot be found, read or split."""


class DownloadError(CorpusError):
    """A named corpus that cannot be downloaded, or that does not match its checksum."""


class MusicError(SeqgenError, ValueError):
    """Invalid notes, an invalid key or meter, or a file that is not music."""


class VocabularyError(SeqgenError, ValueError):
    """Tokens that are not in a vocabulary."""


class ModelFileError(SeqgenError):
    """A file that is not a seqgen model, is damaged, or has another format version."""


class CheckpointError(SeqgenError):
    """A checkpoint that is missing or damaged, or that belongs to another run."""


class OutputError(SeqgenError, OSError):
    """A file that cannot be written."""


class WorkerError(SeqgenError):
    """Another machine of a distributed run was lost."""


class TrainingError(SeqgenError):
    """A training run that cannot start or continue."""


def reason(error: BaseException) -> str:
    r"""What an error of another library says, as a short line; its type if it says nothing.

    >>> reason(ValueError("not a zip\n file")), reason(KeyError())
    ('not a zip file', 'KeyError')
    """
    return " ".join(str(error).split())[:200] or type(error).__name__


def shown(path: object) -> str:
    """A path as messages show it: of a very long one its end, which names the file.

    >>> shown("folder/" * 1000 + "book.keras")[-20:]
    'er/folder/book.keras'
    """
    text = str(path)
    return text if len(text) <= 200 else f"…{text[-199:]}"

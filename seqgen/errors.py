"""The exceptions that seqgen raises.

    SeqgenError                 base of all of them; the command line prints one line and exits 1
    ├── ConfigError             an option out of its range, or two that exclude each other
    ├── CorpusError             a corpus that cannot be found, read or split
    │   └── DownloadError       a corpus that cannot be fetched, or is not what its checksum says
    ├── MusicError              notes, a key or a meter that make no sense, a file of no music
    ├── VocabularyError         tokens that a model has never seen
    ├── ModelFileError          a file that is no model, is damaged, or is of another format version
    ├── CheckpointError         a run that cannot be resumed from what stands there
    ├── OutputError             a file that cannot be written
    ├── WorkerError             another machine of a run on several is gone
    └── TrainingError           a run that cannot start or cannot go on

Every message says what was expected, what came, and what to do.
"""


class SeqgenError(Exception):
    """Base class of all errors that seqgen raises on purpose."""


class ConfigError(SeqgenError, ValueError):
    """An option out of its range, unknown, or at odds with another one."""


class CorpusError(SeqgenError):
    """A corpus that cannot be found, read or split."""


class DownloadError(CorpusError):
    """A named corpus that cannot be fetched, or is not what its checksum says."""


class MusicError(SeqgenError, ValueError):
    """Notes, a key or a meter that make no sense, or a file that is no music."""


class VocabularyError(SeqgenError, ValueError):
    """Tokens that a vocabulary does not hold."""


class ModelFileError(SeqgenError):
    """A file that is no seqgen model, is damaged, or is of another format version."""


class CheckpointError(SeqgenError):
    """A checkpoint that is missing or damaged, or that belongs to another run."""


class OutputError(SeqgenError, OSError):
    """A file that cannot be written."""


class WorkerError(SeqgenError):
    """Another machine of a run on several is gone."""


class TrainingError(SeqgenError):
    """A training run that cannot start or cannot go on."""

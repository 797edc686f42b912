"""The one place that imports TensorFlow and Keras.

Importing it takes seconds, so no module imports it that `seqgen --help` or `seqgen generate` needs.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

QUIET = "SEQGEN_QUIET_TENSORFLOW"  # set by the command line; a library leaves the process alone

os.environ["KERAS_BACKEND"] = "tensorflow"  # the user's default may differ


@contextmanager
def _quiet() -> Iterator[None]:
    """Capture what C++ code writes to file descriptor 2, and show it only if the block fails.

    TensorFlow 2.21 prints notices during its import that no log level turns off.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        except BaseException:
            captured.seek(0)
            os.write(stderr, captured.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


if os.environ.get(QUIET):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _quiet():
        import keras
        import tensorflow as tf
    tf.get_logger().setLevel("ERROR")  # retracing is expected: a process may train several networks
else:
    import keras
    import tensorflow as tf

__all__ = ["keras", "tf"]

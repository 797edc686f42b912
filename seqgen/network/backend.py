"""The one place that imports TensorFlow and Keras, after saying how they shall behave.

Importing it takes seconds, so no module does that `seqgen --help` or `seqgen generate` needs.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

os.environ["KERAS_BACKEND"] = "tensorflow"  # a user's default may be another
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what C++ writes to stderr; show it after all if the block fails.

    TensorFlow 2.21 prints notices while it is imported that no log level turns off.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held_back:
        stderr = os.dup(2)
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except BaseException:
            held_back.seek(0)
            os.write(stderr, held_back.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


with _quiet():
    import keras
    import tensorflow as tf

tf.get_logger().setLevel("ERROR")  # several networks in a process are no mistake of the user's

__all__ = ["keras", "tf"]

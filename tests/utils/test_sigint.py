import os
import signal
import threading

import pytest

from seqgen.utils.sigint import defer_sigint, ignore_sigint


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_is_ignored_while_a_file_is_saved() -> None:
    with ignore_sigint():
        press()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_is_deferred_to_the_end_of_the_block() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), defer_sigint():
        press()
        done.append(True)
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_in_the_block_is_raised() -> None:
    with pytest.raises(ZeroDivisionError), defer_sigint():
        raise ZeroDivisionError


def test_other_threads_are_not_affected() -> None:
    done = []

    def work() -> None:
        with defer_sigint():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done

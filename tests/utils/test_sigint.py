import os
import signal
import threading

import pytest

from seqgen.utils.sigint import defer_sigint, ignore_sigint


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_has_no_effect_while_something_is_saved() -> None:
    with ignore_sigint():
        press()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_waits_until_what_belongs_together_is_done() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), defer_sigint():
        press()
        done.append(True)
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_inside_is_that_error() -> None:
    with pytest.raises(ZeroDivisionError), defer_sigint():
        raise ZeroDivisionError


def test_another_thread_is_not_interrupted_anyway() -> None:
    done = []

    def work() -> None:
        with defer_sigint():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done

import os
import signal
import threading
from pathlib import Path

import pytest

from seqgen.utils.atomic_files import atomic_write
from seqgen.utils.sigint import defer_sigint, ignore_sigint, requests_interrupt
from tests.conftest import Run


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


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_request_to_end_interrupts_once(name: str) -> None:
    number = getattr(signal, name)
    with requests_interrupt():
        with pytest.raises(KeyboardInterrupt, match=name):
            os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)  # a closed terminal sends it twice
        with defer_sigint(), ignore_sigint():
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_request_to_end_is_deferred_and_ignored_as_ctrl_c_is() -> None:
    done = []
    with requests_interrupt():
        with ignore_sigint():
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt, match="SIGTERM"), defer_sigint():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append(True)
    assert done


def test_other_handlers_are_left_alone() -> None:
    handler = lambda number, frame: None  # noqa: E731
    for number, before in ((signal.SIGTERM, handler), (signal.SIGHUP, signal.SIG_IGN)):
        default = signal.signal(number, before)
        try:
            with requests_interrupt():
                assert signal.getsignal(number) is before
        finally:
            signal.signal(number, default)


def test_every_command_cleans_up_when_it_is_asked_to_end(
    seqgen: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        with atomic_write(tmp_path / "a.txt") as path:
            path.write_text("half")
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("seqgen.model_file.load", killed)
    done = seqgen("info", "a.keras")
    assert done.returncode == 1 and "Aborted!" in done.stderr
    assert list(tmp_path.iterdir()) == []

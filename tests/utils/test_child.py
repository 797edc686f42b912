"""A process with limits: it answers, dies of a call, and is there again for the next."""

import pytest

from seqgen.utils.child import CallError, Child, serve


def _answer(request: bytes) -> bytes:
    if request == b"loop":
        while True:
            pass
    if request == b"exit":
        raise SystemExit
    if request == b"memory":
        try:
            return bytes(len(bytearray(2 << 30)))
        except MemoryError:
            return b"no memory"
    print("not a part of the answer")
    return request[::-1]


def main() -> None:
    serve(_answer)


@pytest.fixture(scope="module")
def child() -> Child:
    return Child(__name__)


def test_calls_are_answered(child: Child) -> None:
    assert [child.call(request, 10) for request in (b"abc", b"", b"x" * 10**6)] == [
        b"cba", b"", b"x" * 10**6,
    ]  # fmt: skip
    assert child.call(b"memory", 60) == b"no memory"


def test_a_call_that_takes_too_long_ends_the_process_only(child: Child) -> None:
    with pytest.raises(CallError, match="takes more than 1 s"):
        child.call(b"loop", 1)
    assert child.call(b"ab", 10) == b"ba"


def test_a_call_that_crashes_ends_the_process_only(child: Child) -> None:
    with pytest.raises(CallError, match="crashes it"):
        child.call(b"exit", 10)
    assert child.call(b"ab", 10) == b"ba"

"""The C library compiles for every platform that wheels are built for."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

from hatch_build import FLAGS, TARGETS, zig
from seqgen.native import LIBRARY
from tests.native.test_vectors import require
from tests.native.wheels import problems


@pytest.mark.parametrize("name", TARGETS)
def test_the_library_compiles_for_the_platform_of_the_wheel(name: str, tmp_path: Path) -> None:
    require(importlib.util.find_spec("ziglang"), "needs ziglang: pip install ziglang")
    target, tag = TARGETS[name]
    library = tmp_path / "library.so"
    sources = map(str, LIBRARY.parent.glob("*.c"))
    command = [*zig(), "-target", target, *FLAGS, *sources, "-lm", "-o", str(library)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert problems(library.read_bytes(), tag) == []


def test_a_wrong_library_is_detected() -> None:
    elf = bytes([0x7F, *b"ELF"]) + bytes(14) + (183).to_bytes(2, "little") + b"GLIBC_2.34"
    found = problems(elf, "manylinux_2_28_x86_64")
    assert "expected ('ELF', 62), got ('ELF', 183)" in found
    assert "lacks window_forward" in found and "needs glibc 2.34, claims 2.28" in found

"""The C library, called from C: instruction sets, sanitizers and another processor agree."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seqgen.native import ISAS
from tests.conftest import require

SOURCE = Path(__file__).with_name("vectors.c")
FLAGS = ["-std=gnu11", "-fno-math-errno", "-Wall", "-Wextra", "-Werror", "-Wno-psabi"]
SANITIZE = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
NO_LOOPS = 3  # exit status for an instruction set that the processor lacks
PLAIN = ISAS.index("plain")
FLOAT32 = [number for number, name in enumerate(ISAS) if name != "avx512_bf16"]


def build(folder: Path, compiler: list[str], *flags: str) -> Path:
    program = folder / "vectors"
    command = [*compiler, *FLAGS, *flags, str(SOURCE), "-lm", "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


def results(*command: object) -> np.ndarray | None:
    done = subprocess.run([*map(str, command)], capture_output=True)
    if done.returncode == NO_LOOPS:
        return None
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return np.frombuffer(done.stdout, np.float32)


@pytest.fixture(scope="module")
def compiler() -> list[str]:
    require(shutil.which("cc"), "needs a C compiler: apt-get install gcc")
    return ["cc"]


@pytest.fixture(scope="module")
def program(compiler: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("program"), compiler, "-O2")


@pytest.fixture(scope="module")
def plain(program: Path) -> np.ndarray:
    """The results of code without special instructions, on this processor."""
    found = results(program, PLAIN)
    assert found is not None and len(found) > 100_000 and np.isfinite(found).all()
    return found


def assert_equal(found: np.ndarray | None, expected: np.ndarray) -> None:
    if found is not None:
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_every_instruction_set_agrees(plain: np.ndarray, program: Path) -> None:
    for isa in FLOAT32:
        assert_equal(results(program, isa), plain)


def test_sanitizers_find_nothing(plain: np.ndarray, compiler: list[str], tmp_path: Path) -> None:
    (tmp_path / "empty.c").write_text("int main(void) { return 0; }\n")
    check = [*compiler, *SANITIZE, str(tmp_path / "empty.c"), "-o", str(tmp_path / "empty")]
    has_them = subprocess.run(check, capture_output=True).returncode == 0
    require(has_them, "needs the sanitizers of gcc or clang: apt-get install gcc")
    program = build(tmp_path, compiler, *SANITIZE)
    for isa in FLOAT32:
        assert_equal(results(program, isa), plain)


def test_arm_agrees(plain: np.ndarray, tmp_path: Path) -> None:
    """NEON, by emulation."""
    require(importlib.util.find_spec("ziglang"), "needs ziglang: pip install ziglang")
    emulator = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
    require(emulator, "needs qemu-aarch64: apt-get install qemu-user")
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-musl"]
    found = results(emulator, build(tmp_path, zig, "-O2", "-static"), PLAIN)
    assert found is not None
    assert_equal(found, plain)

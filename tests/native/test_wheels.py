"""The C library compiles for every platform that wheels are built for."""

import ctypes
import importlib.util
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from hatch_build import FLAGS, TARGETS, zig
from seqgen.native import FUNCTIONS, ISAS, LIBRARY
from tests.conftest import require
from tests.native.wheels import MACHINES, problems

SOURCES = sorted(LIBRARY.parent.glob("*.c"))
WINDOWS = [name for name in TARGETS if name.startswith("windows")]


def compiled(name: str, output: Path, *arguments: object) -> bytes:
    """What zig compiles for a platform."""
    require(importlib.util.find_spec("ziglang"), "needs ziglang: pip install ziglang")
    command = [*zig(), "-target", TARGETS[name][0], *map(str, arguments), "-o", str(output)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return output.read_bytes()


@pytest.mark.parametrize("name", [name for name in TARGETS if name not in WINDOWS])
def test_the_library_is_that_of_the_wheel(name: str, tmp_path: Path) -> None:
    library = compiled(name, tmp_path / "library.so", *FLAGS, *SOURCES, "-lm")
    assert problems(library, TARGETS[name][1]) == []


@pytest.mark.parametrize("name", WINDOWS)
def test_the_library_compiles_for_windows(name: str, tmp_path: Path) -> None:
    """It is not linked: before that, zig compiles the C library of Windows, for a minute.
    `make wheels` links and checks it."""
    flags = [flag for flag in FLAGS if flag != "-shared"]
    objects = [compiled(name, tmp_path / "object", *flags, "-c", source) for source in SOURCES]
    _, machine = MACHINES[TARGETS[name][1]]
    for data in objects:  # an object file begins with the machine
        assert int.from_bytes(data[:2], "little") == machine
    assert all(function.encode() in b"".join(objects) for function in FUNCTIONS)


AVX512 = {"avx512f", "avx512bw", "avx512vl", "avx512dq", "avx2", "fma"}
NEEDED = {  # instruction set → flags of /proc/cpuinfo
    "avx512_bf16": {*AVX512, "avx512_bf16"},
    "avx512": AVX512,
    "avx2": {"avx2", "fma"},
    "plain": set(),
}


@pytest.mark.skipif(
    sysconfig.get_platform() != "linux-x86_64", reason="only Linux has /proc/cpuinfo"
)
@pytest.mark.parametrize("compiler", ["cc", "zig"])
def test_it_finds_the_instruction_sets_of_the_processor(compiler: str, tmp_path: Path) -> None:
    """The run-time library of a compiler may not know them: that of zig reports none."""
    there = importlib.util.find_spec("ziglang") if compiler == "zig" else shutil.which("cc")
    package = {"cc": "apt-get install gcc", "zig": "pip install ziglang"}[compiler]
    require(there, f"needs {compiler}: {package}")
    command = [*zig(), "-target", TARGETS["linux-x86_64"][0]] if compiler == "zig" else ["cc"]
    sources = [str(LIBRARY.with_name(name)) for name in ("isa.c", "library.c")]
    library = tmp_path / "library.so"
    subprocess.run([*command, *FLAGS, *sources, "-o", str(library)], check=True)
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    flags = set(next(line for line in lines if line.startswith("flags")).split())
    found = ctypes.CDLL(str(library))
    assert {name: found.processor_has(ISAS.index(name)) for name in ISAS} == {
        name: needed <= flags for name, needed in NEEDED.items()
    }


def test_a_wrong_library_is_detected() -> None:
    elf = bytes([0x7F, *b"ELF"]) + bytes(14) + (183).to_bytes(2, "little") + b"GLIBC_2.34"
    found = problems(elf, "manylinux_2_28_x86_64")
    assert "expected ('ELF', 62), got ('ELF', 183)" in found
    assert "lacks window_forward" in found and "needs glibc 2.34, claims 2.28" in found

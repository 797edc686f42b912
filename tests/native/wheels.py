"""Check the platform tags of wheels: `python -m tests.native.wheels dist/*.whl`."""

from __future__ import annotations

import re
import struct
import sys
import zipfile
from pathlib import Path

from hatch_build import TARGETS
from seqgen.native import FUNCTIONS

MOST_BYTES = 200_000
MACHINES = {  # tag → format and machine in the header of the library
    "manylinux_2_28_x86_64": ("ELF", 62),
    "manylinux_2_28_aarch64": ("ELF", 183),
    "macosx_11_0_x86_64": ("Mach-O", 0x01000007),
    "macosx_11_0_arm64": ("Mach-O", 0x0100000C),
    "win_amd64": ("PE", 0x8664),
    "win_arm64": ("PE", 0xAA64),
}
assert MACHINES.keys() == {tag for _, tag in TARGETS.values()}


def header(library: bytes) -> tuple[str, int]:
    """The format of a shared library and its machine number."""
    if library[:4] == b"\x7fELF":
        return "ELF", struct.unpack_from("<H", library, 18)[0]
    if library[:4] == b"\xcf\xfa\xed\xfe":
        return "Mach-O", struct.unpack_from("<I", library, 4)[0]
    if library[:2] == b"MZ":
        (offset,) = struct.unpack_from("<I", library, 0x3C)
        return "PE", struct.unpack_from("<H", library, offset + 4)[0]
    raise ValueError(f"no shared library: begins with {library[:4]!r}")


def problems(library: bytes, tag: str) -> list[str]:
    """What is wrong with the library of a wheel with a platform tag."""
    found = []
    if header(library) != MACHINES[tag]:
        found.append(f"expected {MACHINES[tag]}, got {header(library)}")
    found += [f"lacks {name}" for name in FUNCTIONS if name.encode() not in library]
    versions = [int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", library)]
    if max(versions, default=0) > 28:
        found.append(f"needs glibc 2.{max(versions)}, claims 2.28")
    if len(library) > MOST_BYTES:
        found.append(f"{len(library):,} bytes, expected at most {MOST_BYTES:,}")
    return found


def main(paths: list[str]) -> int:
    wrong = 0
    for path in map(Path, paths):
        with zipfile.ZipFile(path) as wheel:
            library = wheel.read("seqgen/native/library.so")
        found = problems(library, path.stem.rpartition("-")[2])
        wrong += bool(found)
        kind, machine = header(library)
        print(f"{path.name}: {kind} {machine:#x}, {len(library):,} bytes; {found or 'good'}")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

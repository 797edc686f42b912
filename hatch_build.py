"""Compiles the C files when seqgen is built or installed.

The compiler is `CC`, or `cc`. Without one the build requires the package `ziglang`, which contains
a C compiler; if that fails, too, seqgen is installed without the C library, and runs slower.

`SEQGEN_TARGET` names another platform of `TARGETS` to build a wheel for (`make wheels`).
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FLAGS = [
    *("-O3", "-std=gnu11", "-shared", "-fPIC", "-fno-math-errno", "-fvisibility=hidden", "-s"),
    "-fno-unroll-loops",  # except those with a pragma: unrolling the others gains size, not speed
    *("-Wall", "-Wextra", "-Wno-psabi"),  # psabi: vectors are passed between inlined functions only
]

# Platform → target of `zig cc`, and tag of the wheel. glibc 2.28 is that of manylinux_2_28.
TARGETS = {
    "linux-x86_64": ("x86_64-linux-gnu.2.28", "manylinux_2_28_x86_64"),
    "linux-aarch64": ("aarch64-linux-gnu.2.28", "manylinux_2_28_aarch64"),
    "macos-x86_64": ("x86_64-macos.11.0", "macosx_11_0_x86_64"),
    "macos-arm64": ("aarch64-macos.11.0", "macosx_11_0_arm64"),
    "windows-x86_64": ("x86_64-windows-gnu", "win_amd64"),
    "windows-arm64": ("aarch64-windows-gnu", "win_arm64"),
}


def compiler() -> list[str] | None:
    """The command of the C compiler of this machine, or None."""
    if "CC" in os.environ:
        return shlex.split(os.environ["CC"])
    return ["cc"] if shutil.which("cc") else None


def zig() -> list[str]:
    """The command of the C compiler in the package `ziglang`."""
    return [sys.executable, "-m", "ziglang", "cc"]


class CustomBuildHook(BuildHookInterface):  # type: ignore[misc]
    """Called by hatchling before it builds a wheel or installs a checkout in editable mode."""

    def dependencies(self) -> list[str]:
        """Packages to install before the build: a compiler, if this machine has none."""
        needs_zig = "SEQGEN_TARGET" in os.environ or compiler() is None
        return ["ziglang>=0.13"] if needs_zig else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the library into the checkout for an editable installation, or into the wheel."""
        folder = Path(self.root) / "seqgen" / "native"
        name = os.environ.get("SEQGEN_TARGET")
        if name is None:
            command = compiler() or [*zig(), "-mcpu=baseline"]
            tag = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        elif name in TARGETS:
            target, tag = TARGETS[name]
            command = [*zig(), "-target", target]
        else:
            raise ValueError(f"SEQGEN_TARGET: expected one of {', '.join(TARGETS)}, got {name!r}")
        self.temporary = Path(tempfile.mkdtemp())
        library = (folder if version == "editable" else self.temporary) / "library.so"
        sources = sorted(map(str, folder.glob("*.c")))
        try:
            subprocess.run([*command, *FLAGS, *sources, "-lm", "-o", str(library)], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            if name is not None:
                raise
            library.unlink(missing_ok=True)
            print(
                f"seqgen is installed without its C library, so it runs slower ({error}); install "
                "a C compiler and install seqgen again",
                file=sys.stderr,
            )
            return
        build_data["tag"] = f"py3-none-{tag}"
        if version != "editable":
            build_data["force_include"][str(library)] = "seqgen/native/library.so"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary files of the build."""
        shutil.rmtree(self.temporary, ignore_errors=True)

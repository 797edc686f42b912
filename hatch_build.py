"""Compiles the C files when seqgen is built or installed; without a compiler it goes without."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FLAGS = [
    *("-O3", "-std=gnu11", "-shared", "-fPIC", "-fno-math-errno"),
    *("-Wall", "-Wextra", "-Wno-psabi"),  # psabi: vectors are passed between inlined functions only
]


class CustomBuildHook(BuildHookInterface):  # type: ignore[misc]
    """What hatchling calls before it builds a wheel, or links a checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        folder = Path(self.root) / "seqgen" / "native"
        library = folder / "library.so"
        compiler = shlex.split(os.environ.get("CC", "cc"))
        sources = sorted(map(str, folder.glob("*.c")))
        try:
            subprocess.run([*compiler, *FLAGS, *sources, "-lm", "-o", str(library)], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            library.unlink(missing_ok=True)
            print(f"seqgen is installed without its compiled part: {error}", file=sys.stderr)
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"].append("seqgen/native/library.so")

"""The information that a bug report needs: versions, the processor, and which C code runs."""

from __future__ import annotations

import os
import platform
from importlib import metadata

from seqgen import native
from seqgen._version import __version__
from seqgen.inference.c_engine import best_isa
from seqgen.native import ISAS
from seqgen.types import Json
from seqgen.utils import processor

PACKAGES = ("tensorflow", "keras", "numpy", "music21")


def describe() -> Json:
    """Versions, processor and instruction sets, as plain data.

    >>> sorted(describe())[:3]
    ['cores', 'generation', 'not_used']
    """
    sets = native.instruction_sets()
    generation = best_isa()
    return {
        "seqgen": __version__,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "system": platform.platform(),
        "processor": processor.model_name() or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "training": {
            "float32": next((name for name in sets if name != "avx512_bf16"), None),
            "bfloat16": "avx512_bf16" if "avx512_bf16" in sets else None,
        },
        "generation": None if generation is None else ISAS[generation],
        "not_used": _not_used(sets),
    }


def text(described: Json) -> str:
    """The result of `describe` as lines of text."""
    packages = ", ".join(f"{name} {version}" for name, version in described["packages"].items())
    training = described["training"]
    rows = [
        ("seqgen", described["seqgen"]),
        ("python", f"{described['python']}; {packages}"),
        ("system", described["system"]),
        ("processor", f"{described['processor']}, {described['cores']} cores"),
        ("training", f"float32: {_code(training['float32'])}"),
        ("", f"bfloat16: {_code(training['bfloat16'])}"),
        ("generation", _code(described["generation"], "NumPy")),
        *(("not used", f"{name}: {reason}") for name, reason in described["not_used"].items()),
    ]
    return "\n".join(f"{name:12}{value}" for name, value in rows)


def _code(isa: str | None, otherwise: str = "TensorFlow") -> str:
    return f"C, {isa}" if isa else otherwise


def _not_used(sets: tuple[str, ...]) -> dict[str, str]:
    """Instruction set, or the C library as a whole → why it is not used."""
    limit = os.environ.get(native.VARIABLE, "")
    if limit == "0":
        return {"C library": f"{native.VARIABLE} is 0"}
    library = native.library()
    if library is None:
        return {
            "C library": "it was not compiled; install a C compiler and install seqgen again"
            if not native.LIBRARY.exists()
            else "it was compiled for another kind of machine; install seqgen again"
        }
    reasons = {}
    for number, name in enumerate(ISAS[:-1]):
        if not library.processor_has(number):
            reasons[name] = "this processor lacks it"
        elif name not in sets:
            reasons[name] = f"{native.VARIABLE} is {limit}"
    return reasons


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"

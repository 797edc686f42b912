"""The C library: training, generation and sampling, several times as fast as without it.

It is compiled when seqgen is installed, if there is a C compiler (`hatch_build.py`). Python code
does the same, slower, where it is missing.

The environment variable `SEQGEN_NATIVE` limits it: to an instruction set of `ISAS` and slower ones,
or with `0` to none at all.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seqgen.errors import ConfigError, ModelFileError, SeqgenError

LIBRARY = Path(__file__).with_name("library.so")
VERSION = 3  # as `library.c` returns it
CELLS = ("simple_rnn", "lstm", "gru")  # as `cells.h` numbers them
ISAS = ("avx512_bf16", "avx512", "avx2", "plain")  # as `isa.h` numbers them, the fastest first
VARIABLE = "SEQGEN_NATIVE"

OK, NO_MEMORY, BAD_ARGUMENT, NOT_FINITE = range(4)  # what functions of the library return

_STRUCTURE, _INT, _INT64 = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
_ARRAY = ctypes.POINTER(ctypes.c_byte)  # takes what `pointer` returns, faster than c_void_p
FUNCTIONS: dict[str, tuple[Any, ...]] = {  # name → types of arguments; all return an int
    "library_version": (),
    "processor_has": (_INT,),
    "window_columns": (_INT,),
    "window_tile_rows": (_INT, _INT64),
    **dict.fromkeys(
        (
            *("window_pack_forward", "window_pack_backward"),
            *("window_forward", "window_backward", "window_scatter"),
        ),
        (_STRUCTURE,),
    ),
    "network_supports": (_INT,),
    "network_step": (_STRUCTURE, _INT64, *(3 * (_ARRAY,))),
    "mixture_step": (_STRUCTURE, ctypes.c_double, _INT64, *(7 * (_ARRAY,))),
    "sample": (_STRUCTURE, ctypes.c_double, *(3 * (_INT64,)), *(5 * (_ARRAY,))),
}


@functools.cache
def library() -> Any:
    """The compiled library, or None.

    Raises:
        ConfigError: `SEQGEN_NATIVE` names no instruction set, or one this processor lacks.
        SeqgenError: the library was compiled for another version of seqgen.

    >>> library() is library()
    True
    """
    limit = os.environ.get(VARIABLE, "")
    if limit not in ("", "0", *ISAS):
        raise ConfigError(f"{VARIABLE}: expected one of {', '.join(ISAS)} or 0, got {limit!r}")
    if limit == "0":
        return None
    try:
        found = ctypes.CDLL(str(LIBRARY))
    except OSError:  # not compiled, or for another machine
        return None
    _declare(found)
    if limit and not found.processor_has(ISAS.index(limit)):
        there = [name for number, name in enumerate(ISAS) if found.processor_has(number)]
        raise ConfigError(
            f"{VARIABLE}: this processor lacks {limit}; expected one of {', '.join(there)} or 0"
        )
    return found


def _declare(found: Any) -> None:
    version = None
    if hasattr(found, "library_version"):
        version = found.library_version()
    if version != VERSION:
        raise SeqgenError(
            f"{LIBRARY.name} was compiled for another version of seqgen; install seqgen again, or "
            f"set {VARIABLE}=0 to run without it"
        )
    for name, types in FUNCTIONS.items():
        function = getattr(found, name)
        function.argtypes, function.restype = types, _INT


def instruction_sets() -> tuple[str, ...]:
    """Those that may be used here, the fastest first: `plain` only where there is no other.

    >>> set(instruction_sets()) <= set(ISAS)
    True
    """
    found = library()
    if found is None:
        return ()
    first = ISAS.index(os.environ.get(VARIABLE) or ISAS[0])
    there = [name for name in ISAS[first:] if found.processor_has(ISAS.index(name))]
    return tuple(there[:-1] or there)


def first_supported(supports: Callable[[int], int]) -> int | None:
    """The number of the fastest usable instruction set that `supports` accepts, or None."""
    return next((i for i in map(ISAS.index, instruction_sets()) if supports(i)), None)


def check(code: int, what: str) -> None:
    """Raise an error for what a function of the library returned.

    >>> check(OK, "a window")
    """
    if code == NO_MEMORY:
        raise MemoryError(f"no memory for {what}")
    if code == NOT_FINITE:
        raise ModelFileError(
            f"{what}: the network gives NaN or infinity, so that no token can be drawn; train it "
            "again, with a lower learning rate"
        )
    if code != OK:
        raise ValueError(f"{what}: an argument is out of range")


# The address of a contiguous, writable array that is not empty, for C; `array.ctypes` takes four
# times as long.
pointer: Callable[[Any], Any] = ctypes.c_byte.from_buffer

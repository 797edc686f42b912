"""Vectorised 64-bit hashes of numbers, texts and n-grams."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from seqgen.types import Hashes, Ids

MULTIPLIER = 0x9E3779B97F4A7C15  # 2**64 / the golden ratio; odd, so it has an inverse
MODULUS = 1 << 64


def mixed(numbers: Ids) -> Hashes:
    """Mix the bits of numbers `(N,)`, so that every output bit depends on every input bit.

    >>> mixed(np.array([1, 2], np.uint64)) >> np.uint64(56)
    array([216,  85], dtype=uint64)
    """
    numbers = numbers.astype(np.uint64)
    numbers = (numbers ^ (numbers >> np.uint64(31))) * np.uint64(MULTIPLIER)
    numbers = (numbers ^ (numbers >> np.uint64(29))) * np.uint64(MULTIPLIER)
    return np.asarray(numbers ^ (numbers >> np.uint64(32)))


def mixed_number(number: int) -> int:
    """`mixed` of one number, faster than with an array.

    >>> mixed_number(2) == int(mixed(np.array([2]))[0])
    True
    """
    number = (number ^ (number >> 31)) * MULTIPLIER % MODULUS
    number = (number ^ (number >> 29)) * MULTIPLIER % MODULUS
    return number ^ (number >> 32)


def of_texts(texts: Iterable[str]) -> Hashes:
    """A hash of each text, the same on every machine.

    >>> len(set(of_texts("abc").tolist()))
    3
    """
    digests = (
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8) for text in texts
    )
    return np.array([int.from_bytes(digest.digest(), "little") for digest in digests], np.uint64)


def of_ngrams(codes: Hashes, order: int) -> Hashes:
    """A hash of each n-gram of codes: `(N,)` → `(N - order + 1,)`.

    A rolling hash (Karp and Rabin 1987), modulo 2**64: with m = MULTIPLIER and n = order,

        hash[i] = code[i] m^(n-1) + code[i+1] m^(n-2) + … + code[i+n-1]
                = (sums[i+n] - sums[i]) m^(i+n-1),  where  sums[k] = Σ_(j<k) code[j] m^-j

    so that one cumulative sum gives all n-grams.

    >>> first, second, third = of_ngrams(np.array([5, 6, 5, 6], np.uint64), order=2)
    >>> bool(first == third != second)
    True
    """
    if len(codes) < order:
        return np.empty(0, np.uint64)
    powers = _powers(MULTIPLIER, len(codes))
    sums = np.concatenate(
        ([np.uint64(0)], np.cumsum(codes * _powers(pow(MULTIPLIER, -1, MODULUS), len(codes))))
    )
    return np.asarray((sums[order:] - sums[:-order]) * powers[order - 1 :])


def _powers(base: int, count: int) -> Hashes:
    powers = np.full(count, base, np.uint64)
    powers[0] = 1
    return np.asarray(np.cumprod(powers))

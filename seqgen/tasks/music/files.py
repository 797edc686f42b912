"""Music files → read results, by several processes and with a cache."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from seqgen.corpus.sources import Source, sha256
from seqgen.errors import CorpusError, MusicError
from seqgen.music.io.read import READER_VERSION, read
from seqgen.music.io.result import ReadResult, from_json, to_json
from seqgen.music.piece import Piece
from seqgen.music.tokens import polyphony
from seqgen.utils.cache import cache_folder, read_json, write_json

FEW_BYTES = 100_000  # starting processes takes longer than reading fewer bytes than this


def readings(
    sources: Sequence[Source], *, expand_repeats: bool = False, progress: bool = False
) -> list[ReadResult]:
    """Read every source and return the results in order.

    Results are cached by content and version of the reader. Files that are not in the cache are
    read by joblib on all cores; `joblib.parallel_config` chooses another back end, such as Dask or
    Ray on other machines.

    Args:
        sources: the files.
        expand_repeats: write out repeats.
        progress: draw a progress bar on stderr if reading takes long.
    """
    paths = [_cache_path(source, expand_repeats) for source in sources]
    results = [_cached(path) for path in paths]
    missing = [i for i, result in enumerate(results) if result is None]
    for i, result in _read_all([sources[i] for i in missing], expand_repeats, progress):
        results[missing[i]] = result
        write_json(paths[missing[i]], to_json(result))
    return [result for result in results if result is not None]


def _read_all(
    sources: Sequence[Source], expand_repeats: bool, progress: bool
) -> Iterator[tuple[int, ReadResult]]:
    """Yield the index of a source and its result, in any order."""
    if sum(source.size for source in sources) < FEW_BYTES:
        for i, source in enumerate(sources):
            yield _read(i, source, expand_repeats)
        return
    from joblib import Parallel, delayed
    from joblib.parallel import get_active_backend
    from tqdm import tqdm

    backend, _ = get_active_backend()
    kind = "generator_unordered" if backend.supports_return_generator else "list"
    tasks = (delayed(_read)(i, source, expand_repeats) for i, source in enumerate(sources))
    done = Parallel(n_jobs=-1, return_as=kind)(tasks)
    yield from tqdm(
        done, "reading", len(sources), file=sys.stderr, leave=False, disable=not progress, unit=""
    )


def _read(number: int, source: Source, expand_repeats: bool) -> tuple[int, ReadResult]:
    try:
        with source.open() as file:
            data = file.read()
    except CorpusError as error:
        return number, ReadResult(reason=str(error))
    return number, _playable(read(source.label, data, expand_repeats=expand_repeats))


def _playable(result: ReadResult) -> ReadResult:
    """Skip pieces in which more notes sound together than the tokens can express."""
    pieces: list[Piece] = []
    skipped = list(result.skipped)
    for piece in result.pieces:
        try:
            polyphony.require_voices(piece)
        except MusicError as error:
            skipped.append(str(error))
        else:
            pieces.append(piece)
    if result.pieces and not pieces:
        return ReadResult(reason=skipped[-1])
    return replace(result, pieces=tuple(pieces), skipped=tuple(skipped))


def _cache_path(source: Source, expand_repeats: bool) -> Path:
    digest = hashlib.sha256(repr((READER_VERSION, expand_repeats, _suffix(source))).encode())
    digest.update(sha256([source]).encode())
    return cache_folder() / "music" / f"{digest.hexdigest()}.json"


def _suffix(source: Source) -> str:
    return Path(source.label).suffix.lower()


def _cached(path: Path) -> ReadResult | None:
    try:
        return from_json(read_json(path))
    except (ValueError, KeyError, TypeError, AttributeError, MusicError):
        return None  # no entry, or a damaged one

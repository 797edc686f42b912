"""Files from the network, checked against what they must be."""

from __future__ import annotations

from pathlib import Path

from seqgen.errors import DownloadError

TIMEOUT = 30  # seconds without a byte


def fetch(name: str, url: str, sha256: str | None, target: Path, *, progress: bool = False) -> None:
    """Have a file at `target`: it is fetched unless it is there already, as it must be.

    Args:
        name: of the corpus that it belongs to, for a person.
        url: where it is.
        sha256: what it must have.
        target: where it should be.
        progress: draw a progress bar on stderr.

    Raises:
        DownloadError: it cannot be fetched or written, or its checksum differs.
    """
    import pooch
    from requests import RequestException

    download = pooch.HTTPDownloader(progressbar=progress, timeout=TIMEOUT)
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # its messages would mix with ours
    try:
        pooch.retrieve(url, sha256, target.name, target.parent, downloader=download)
    except RequestException as error:
        raise DownloadError(
            f"{name} could not be fetched from {url} ({type(error).__name__}); "
            "try again when there is a network, or fetch the file yourself and name its path"
        ) from error
    except ValueError as error:
        raise DownloadError(
            f"{name}: what came from {url} has not the sha256 {sha256}; "
            "it was thrown away. Try again later, or name a file of your own"
        ) from error
    except OSError as error:
        raise DownloadError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        logger.setLevel(level)

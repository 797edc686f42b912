"""The scripts and the notebook of `examples/` run."""

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.test_readme import write_tunes

EXAMPLES = Path(__file__).parent.parent / "examples"


Example = Callable[..., str]


@pytest.fixture
def example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Example:
    """Run a script in an empty folder, in this process, which has imported TensorFlow."""
    monkeypatch.chdir(tmp_path)

    def run(path: Path, *arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, arguments)])
        runpy.run_path(str(path), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_train_text(book: Path, tmp_path: Path, example: Example) -> None:
    printed = example(EXAMPLES / "train_text.py", book, "--minutes", 0.01)
    assert "\nThe " in printed and (tmp_path / "text.keras").exists()


def test_train_music(tmp_path: Path, example: Example) -> None:
    write_tunes(tmp_path / "tunes")
    printed = example(EXAMPLES / "train_music.py", "tunes", "--minutes", 0.01)
    assert "notes" in printed and (tmp_path / "tune.mid").read_bytes().startswith(b"MThd")


def test_next_character(trained: Path, example: Example) -> None:
    printed = example(EXAMPLES / "next_character.py", trained, "The quick brow")
    first, *_, last = printed.splitlines()
    assert first.split()[0] == "'n'"
    assert float(last.split()[0]) < 1 and last.endswith("bits per character")


def test_the_notebook(tmp_path: Path, example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = json.loads((EXAMPLES / "seqgen.ipynb").read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    script = tmp_path / "notebook.py"
    script.write_text("\n\n".join("".join(cell["source"]) for cell in cells), encoding="utf-8")
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: None)
    printed = example(script)
    assert "--- 1.0\nThe " in printed and printed.count("%") == 5


def test_every_example_is_listed() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for path in EXAMPLES.iterdir():
        if path.is_file() and path.name != "README.md":
            assert f"`{path.name}`" in listed

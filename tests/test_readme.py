"""Every command of the README runs, in the order in which a reader would type them."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from seqgen.catalogue import read_catalogue
from tests.conftest import SENTENCE

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line and not line.startswith("#")
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a reader has: a book, a folder of poems, a list of names, older pages."""
    folder = tmp_path
    (folder / "poems").mkdir()
    for name in ("book.txt", "letters.txt", "poems/1.txt", "poems/2.txt"):
        (folder / name).write_text(f"ROMEO:\n{SENTENCE}" * 100)
    (folder / "old.txt").write_bytes(("Grüße. " + SENTENCE * 100).encode("latin-1"))
    (folder / "names.txt").write_bytes((ROOT / "data" / "given-names.txt").read_bytes())
    return folder


def shortened(command: str) -> str:
    """The command with a run of seconds instead of minutes."""
    return re.sub(r"--(minutes|epochs) [\d.]+", r"--epochs 0.1", command)


def run(command: str, folder: Path) -> None:
    words = shlex.split(command)
    if words[0] == "make":
        ready = f"{sys.prefix}/ready"
        dry = ["make", "--dry-run", f"VENV={sys.prefix}", "--old-file", ready, *words[1:]]
        done = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()
        return
    assert "seqgen" in words
    script = f'seqgen() {{ "{sys.executable}" -m seqgen "$@"; }}\n{shortened(command)}'
    done = subprocess.run(["bash", "-ec", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    assert done.stdout or ">" in words or "-o" in words


def test_every_command_runs_after_those_before_it(folder: Path) -> None:
    assert len(COMMANDS) > 10
    for command in COMMANDS:
        run(command, folder)


def test_python(folder: Path) -> None:
    (script,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    script = script.replace("minutes=3", "epochs=0.1")
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("The ")


def test_the_demo_runs(tmp_path: Path) -> None:
    model = tmp_path / "demo.keras"
    for _ in range(2):  # safe to run twice
        done = subprocess.run(
            ["make", "demo", f"VENV={sys.prefix}", "--old-file", f"{sys.prefix}/ready",
             "DEMO_MINUTES=0.05", f"DEMO_MODEL={model}"],
            cwd=ROOT, capture_output=True, text=True, env={**os.environ, "MAKEFLAGS": ""},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("== temperature") == 3
        assert done.stdout.count(str(model)) >= 2
    assert model.exists()


def test_every_named_corpus_is_in_it() -> None:
    for name in read_catalogue():
        assert f"`{name}`" in README


def test_every_option_is_in_it() -> None:
    from seqgen.cli import cli

    for command in cli.commands.values():
        for option in command.params:
            for name in option.opts:
                assert not name.startswith("--") or name in README, name

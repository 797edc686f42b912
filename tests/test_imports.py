"""Imports point down only, and nothing heavy is imported where it is not needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_imports_point_down() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_few_modules_are_at_the_top_level() -> None:
    assert len(list((ROOT / "seqgen").glob("*.py"))) <= 10


def modules_after(script: str) -> set[str]:
    script = f"import json, sys\n{script}\nprint('\\n' + json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "command",
    [
        *("", "train", "generate", "evaluate", "compare", "render", "inspect", "info", "corpora"),
        *("share", "card", "export", "studio"),
    ],
)
def test_help_imports_nothing_heavy(command: str) -> None:
    arguments = ["seqgen", *command.split(), "--help"]
    loaded = modules_after(
        f"sys.argv = {arguments}\nfrom seqgen.__main__ import main\n"
        "try: main()\nexcept SystemExit as end: assert end.code == 0"
    )
    assert not loaded & {"tensorflow", "keras", "music21", "h5py", "numpy", "pooch", "tqdm"}
    assert "click" in loaded and ("cloup" in loaded) <= bool(command)


def test_generation_needs_no_tensorflow(trained: Path) -> None:
    loaded = modules_after(
        f"import seqgen\nmodel = seqgen.load({str(trained)!r})\n"
        "assert len(model.generate('The ', length=20)) == 24"
    )
    assert not loaded & {"tensorflow", "keras", "music21", "pooch", "matplotlib"}
    assert "h5py" in loaded


def test_the_command_generates_without_tensorflow(trained: Path) -> None:
    loaded = modules_after(
        f"sys.argv = ['seqgen', 'generate', {str(trained)!r}, '--length', '5']\n"
        "from seqgen.__main__ import main\n"
        "try: main()\nexcept SystemExit as end: assert end.code == 0"
    )
    assert not loaded & {"tensorflow", "keras", "seqgen.music", "seqgen.tasks.music"}


def test_importing_seqgen_imports_little() -> None:
    loaded = modules_after("import seqgen")
    assert not loaded & {"tensorflow", "keras", "numpy", "click"}

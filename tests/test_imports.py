"""Imports point down only, and nothing heavy is imported where it is not needed."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "seqgen"

# Module → what it may import from seqgen, at the top or inside a function. From the ground up.
TABLE = {
    "errors": set(),
    "files": {"errors"},
    "interrupts": set(),
    "cluster": {"errors"},
    "config": {"errors"},
    "vocabulary": {"errors"},
    "sources": {"errors"},
    "catalogue": {"errors", "sources"},
    "corpus": {"errors", "vocabulary"},
    "batches": {"errors", "vocabulary", "corpus"},
    "tasks": set(),
    "tasks.text_ids": {"errors", "vocabulary", "sources", "catalogue"},
    "tasks.text": {"errors", "vocabulary", "corpus", "sources", "tasks.text_ids"},
    "activations": set(),
    "runtime": {"config", "vocabulary", "activations"},
    "sampling": {"vocabulary"},
    "generation": {"config", "vocabulary", "runtime", "sampling"},
    "backend": set(),
    "kernels.operations": {"backend"},
    "kernels.scan": {"backend", "kernels.operations"},
    "kernels.window": {"backend", "kernels.operations", "kernels.scan"},
    "kernels.simple_rnn": {"backend", "kernels.operations", "kernels.window"},
    "kernels.lstm": {"backend", "kernels.operations", "kernels.window"},
    "kernels.gru": {"backend", "kernels.operations", "kernels.scan", "kernels.window"},
    "kernels": {"backend", "kernels.operations", "kernels.simple_rnn", "kernels.lstm",
                "kernels.gru", "kernels.window"},
    "network": {"errors", "config", "vocabulary", "runtime", "backend", "kernels"},
    "sharding": {"backend"},
    "distribution": {"errors", "cluster", "backend"},
    "validation": {"vocabulary", "backend", "network", "sharding"},
    "schedule": {"config"},
    "callback": set(),
    "training_loss": {"errors"},
    "best_weights": {"errors", "distribution", "runtime", "schedule", "validation"},
    "train_step": {"config", "batches", "backend", "network", "sharding"},
    "trial": {"files", "cluster", "config", "catalogue", "batches", "backend", "network",
              "sharding", "train_step"},
    "checkpoint": {"errors", "files", "config", "vocabulary"},
    "training": {"errors", "interrupts", "config", "corpus", "batches", "runtime", "backend",
                 "network", "validation", "schedule", "callback", "best_weights", "sharding",
                 "train_step", "training_loss", "checkpoint", "cluster", "distribution"},
    "bundle": {"errors", "files", "config", "vocabulary", "runtime", "network"},
    "fine_tuning": {"errors", "vocabulary", "runtime", "bundle"},
    "automatic": {"config", "batches"},
    "beginning": {"automatic", "batches", "trial", "bundle", "checkpoint", "errors", "fine_tuning",
                  "config", "corpus", "runtime", "callback", "network", "cluster", "distribution",
                  "sharding"},
    "model": {"bundle", "catalogue", "generation", "config", "corpus", "runtime",
              "tasks.text", "callback", "network", "training", "cluster", "beginning"},
    "describe": {"bundle"},
    "progress_bar": {"callback", "describe"},
    "tensorboard": {"errors", "files", "backend", "callback"},
    "loss_curve": {"files"},
    "options": {"config"},
    "cli": {"errors", "options", "files", "interrupts", "describe", "model", "bundle",
            "progress_bar", "tasks.text", "beginning", "catalogue", "callback", "checkpoint",
            "cluster", "tensorboard", "loss_curve"},
    "__main__": {"cli", "errors"},
}  # fmt: skip

MODULES = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if path != PACKAGE / "__init__.py"
)


def imported(module: str) -> set[str]:
    """The modules of seqgen that a module imports anywhere in its text."""
    path = PACKAGE / (module.replace(".", "/") + ".py")
    if not path.exists():
        path = PACKAGE / module.replace(".", "/") / "__init__.py"
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("seqgen") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise AssertionError(f"{module} has a relative import, which this test cannot follow")
        elif isinstance(node, ast.ImportFrom) and node.module == "seqgen":
            found |= {alias.name for alias in node.names} - {"__version__"}
        elif isinstance(node, ast.ImportFrom) and node.module == "seqgen.tasks":
            found |= {f"tasks.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("seqgen."):
            found.add(str(node.module).removeprefix("seqgen."))
    return found


def test_the_table_names_every_module() -> None:
    assert sorted(TABLE) == MODULES


@pytest.mark.parametrize("module", TABLE)
def test_a_module_imports_what_the_table_says(module: str) -> None:
    assert imported(module) == TABLE[module]


def test_imports_point_down_only() -> None:
    order = list(TABLE)
    for module, below in TABLE.items():
        for each in below:
            assert order.index(each) < order.index(module)


def modules_after(script: str) -> set[str]:
    script = f"import json, sys\n{script}\nprint('\\n' + json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("command", ["", "train", "generate", "info", "corpora"])
def test_help_imports_nothing_heavy(command: str) -> None:
    arguments = ["seqgen", *command.split(), "--help"]
    loaded = modules_after(
        f"sys.argv = {arguments}\nfrom seqgen.__main__ import main\n"
        "try: main()\nexcept SystemExit as end: assert end.code == 0"
    )
    assert not loaded & {"tensorflow", "keras", "music21", "h5py", "numpy", "pooch", "tqdm"}
    assert "click" in loaded


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
    assert not loaded & {"tensorflow", "keras"}


def test_importing_seqgen_is_instant() -> None:
    loaded = modules_after("import seqgen")
    assert not loaded & {"tensorflow", "keras", "numpy", "click"}

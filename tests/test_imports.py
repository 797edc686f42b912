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
    "downloads": {"errors"},
    "catalogue": {"downloads", "errors", "sources"},
    "corpus": {"errors", "vocabulary"},
    "batches": {"errors", "vocabulary", "corpus"},
    "hashing": set(),
    "music": set(),
    "music.drums": set(),
    "music.durations": set(),
    "music.instruments": {"errors"},
    "music.signatures": {"errors"},
    "music.bars": {"music.signatures"},
    "music.piece": {"errors", "music.signatures"},
    "music.key_finding": {"music.piece", "music.signatures"},
    "music.lanes": {"music.piece"},
    "music.melody": {"music.durations", "music.piece", "music.signatures"},
    "music.midi_writer": {"music.piece", "music.signatures"},
    "music.names": {"errors", "music.piece", "music.signatures"},
    "music.quantise": {"music.piece"},
    "music.reading": {"music.piece", "music.signatures"},
    "music.duplicates": {"hashing", "music.melody", "music.piece"},
    "music.melody_rules": {"music.bars", "music.melody", "music.signatures"},
    "music.midi_events": {"errors", "music.signatures"},
    "music.midi_reader": {"errors", "music.midi_events", "music.piece", "music.quantise",
                          "music.signatures"},
    "music.notation": {"music.lanes", "music.piece", "music.signatures"},
    "music.polyphony": {"errors", "music.durations", "music.lanes", "music.piece",
                        "music.signatures"},
    "music.parsing": {"errors"},
    "music.score_text": set(),
    "music.score_reader": {"errors", "music.drums", "music.parsing", "music.piece", "music.reading",
                           "music.score_text", "music.signatures"},
    "music.sound": {"errors", "music.midi_writer", "music.piece"},
    "music.abc_writer": {"music.notation", "music.piece", "music.signatures"},
    "music.measures": {"music.melody", "music.piece", "music.signatures"},
    "music.moves": {"music.melody", "music.polyphony"},
    "music.codec": {"errors", "music.lanes", "music.melody", "music.piece", "music.polyphony"},
    "music.polyphony_rules": {"music.bars", "music.polyphony", "music.signatures"},
    "music.read": {"errors", "music.midi_reader", "music.reading", "music.score_reader"},
    "music.score_writer": {"music.drums", "music.durations", "music.instruments",
                           "music.midi_writer", "music.notation", "music.piece",
                           "music.signatures"},
    "music.pictures": {"errors", "music.names", "music.piece", "music.score_writer"},
    "music.write": {"errors", "files", "music.abc_writer", "music.midi_writer", "music.pictures",
                    "music.piece", "music.score_writer", "music.sound"},
    "tasks": set(),
    "tasks.text_ids": {"errors", "vocabulary", "sources", "catalogue"},
    "tasks.text": {"errors", "vocabulary", "corpus", "sources", "tasks.text_ids"},
    "tasks.kinds": {"music.read", "sources"},
    "tasks.music_files": {"catalogue", "errors", "files", "music.piece", "music.polyphony",
                          "music.read", "music.reading", "sources"},
    "tasks.music": {"corpus", "errors", "music.codec", "music.duplicates", "music.key_finding",
                    "music.piece", "music.reading", "sources", "tasks.music_files", "vocabulary"},
    "ngrams": {"hashing", "vocabulary"},
    "copies": {"hashing"},
    "activations": set(),
    "runtime": {"config", "vocabulary", "activations"},
    "native": set(),
    "native.build": set(),
    "compiled_runtime": {"config", "native", "runtime", "vocabulary"},
    "compiled_sampling": {"config", "native", "vocabulary"},
    "sampling": {"compiled_sampling", "config", "native", "vocabulary"},
    "constraints": {"sampling"},
    "generation": {"config", "vocabulary", "runtime", "sampling"},
    "beam": {"generation", "runtime", "sampling"},
    "originality": {"config", "copies", "corpus", "errors", "hashing", "music.moves", "sampling",
                    "vocabulary"},
    "writing": {"beam", "config", "constraints", "copies", "errors", "generation", "originality",
                "runtime", "sampling", "tasks.text", "vocabulary"},
    "backend": set(),
    "kernels.operations": {"backend"},
    "kernels.cell": {"backend", "kernels.operations"},
    "kernels.scan": {"backend", "kernels.cell", "kernels.operations"},
    "kernels.simple_rnn": {"backend", "kernels.cell", "kernels.operations"},
    "kernels.lstm": {"backend", "kernels.cell", "kernels.operations"},
    "kernels.gru": {"backend", "kernels.cell", "kernels.operations"},
    "kernels.compiled": {"backend", "kernels.cell", "kernels.gru", "kernels.lstm",
                         "kernels.operations", "kernels.simple_rnn", "native"},
    "kernels.layer": {"backend", "kernels.cell", "kernels.compiled", "kernels.gru", "kernels.lstm",
                      "kernels.operations", "kernels.scan", "kernels.simple_rnn"},
    "kernels": {"backend", "kernels.layer"},
    "network": {"errors", "config", "backend"},
    "sharding": {"backend"},
    "distribution": {"errors", "cluster", "interrupts", "backend"},
    "forward": {"backend", "kernels", "network"},
    "keras_stepper": {"backend", "config", "forward", "network", "runtime", "vocabulary"},
    "validation": {"vocabulary", "backend", "forward", "network", "sharding"},
    "schedule": {"config"},
    "callback": set(),
    "training_loss": {"errors"},
    "best_weights": {"errors", "distribution", "runtime", "schedule", "validation"},
    "train_step": {"config", "batches", "backend", "forward", "sharding"},
    "trial": {"files", "cluster", "config", "catalogue", "batches", "backend", "native",
              "network", "sharding", "train_step"},
    "checkpoint": {"errors", "files", "config", "vocabulary"},
    "training": {"errors", "interrupts", "config", "corpus", "batches", "runtime", "backend",
                 "network", "validation", "schedule", "callback", "best_weights", "sharding",
                 "train_step", "training_loss", "checkpoint", "cluster", "distribution"},
    "bundle": {"copies", "errors", "files", "config", "vocabulary", "runtime", "network"},
    "fine_tuning": {"errors", "vocabulary", "corpus", "runtime", "bundle"},
    "automatic": {"config", "batches"},
    "beginning": {"automatic", "batches", "trial", "bundle", "checkpoint", "errors", "fine_tuning",
                  "config", "corpus", "runtime", "callback", "network", "cluster", "distribution",
                  "sharding"},
    "wishes": {"errors", "music.instruments", "music.names", "music.piece", "music.read",
               "music.signatures"},
    "wish_tokens": {"errors", "music.codec", "music.key_finding", "music.melody_rules",
                    "music.piece", "music.polyphony_rules", "music.signatures", "vocabulary",
                    "wishes"},
    "composition": {"beam", "config", "copies", "errors", "generation", "music.melody_rules",
                    "music.piece", "music.polyphony_rules", "originality", "runtime", "sampling",
                    "vocabulary", "wish_tokens", "wishes"},
    "model": {"bundle", "compiled_runtime", "composition", "config", "errors", "fine_tuning",
              "keras_stepper", "music.piece", "runtime", "wishes", "writing"},
    "corpora": {"catalogue", "corpus", "errors", "tasks.kinds", "tasks.music", "tasks.text"},
    "trainer": {"beginning", "bundle", "callback", "cluster", "copies", "corpus", "model",
                "music.abc_writer", "originality", "runtime", "training"},
    "scoring": {"runtime", "sampling", "vocabulary"},
    "baseline": {"catalogue", "files", "ngrams", "vocabulary"},
    "text_measures": {"hashing", "vocabulary"},
    "sample_scores": {"corpora", "corpus", "model", "music.codec", "music.measures", "music.piece",
                      "text_measures", "vocabulary"},
    "evaluation": {"baseline", "catalogue", "config", "corpora", "corpus", "errors", "model",
                   "music.codec", "music.signatures", "sample_scores", "scoring", "tasks.text",
                   "vocabulary"},
    "recall": {"callback", "config", "corpus", "runtime", "sampling", "training", "vocabulary"},
    "comparison": {"automatic", "beginning", "callback", "cluster", "config", "corpus", "errors",
                   "network", "recall", "training"},
    "describe": {"bundle", "music.reading"},
    "progress_bar": {"callback", "describe"},
    "tensorboard": {"errors", "files", "backend", "callback"},
    "loss_curve": {"files"},
    "comparison_picture": {"files"},
    "cli.options": {"config"},
    "cli.talk": {"files"},
    "cli.training": {"beginning", "bundle", "callback", "catalogue", "checkpoint", "cli.options",
                     "cli.talk", "cluster", "corpora", "describe", "errors", "files",
                     "interrupts", "loss_curve", "model", "progress_bar", "tensorboard",
                     "trainer"},
    "cli.comparing": {"beginning", "cli.options", "cli.talk", "comparison",
                      "comparison_picture", "config", "corpora", "describe", "errors", "files",
                      "progress_bar", "recall"},
    "cli.evaluating": {"cli.options", "cli.talk", "describe", "errors", "evaluation", "model"},
    "cli.generating": {"cli.options", "cli.talk", "errors", "files", "model", "music.codec",
                       "music.piece", "music.read", "music.write", "originality", "tasks.text",
                       "wishes", "writing"},
    "cli.rendering": {"cli.options", "cli.talk", "music.read", "music.write"},
    "cli.listing": {"bundle", "catalogue", "cli.options", "cli.talk", "describe", "errors",
                    "tasks.music_files"},
    "cli": {"cli.comparing", "cli.evaluating", "cli.generating", "cli.listing", "cli.rendering",
            "cli.training"},
    "__main__": {"cli", "errors"},
}  # fmt: skip

FOLDERS = ("seqgen.tasks", "seqgen.music", "seqgen.kernels")  # whose modules are imported by name

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
        elif isinstance(node, ast.ImportFrom) and node.module in FOLDERS:
            folder = node.module.removeprefix("seqgen.")
            found |= {f"{folder}.{alias.name}" for alias in node.names}
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


@pytest.mark.parametrize(
    "command",
    ["", "train", "generate", "evaluate", "compare", "render", "inspect", "info", "corpora"],
)
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

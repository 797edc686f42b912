"""Every command of the README and the docs runs; links and pictures are there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from seqgen.cli import cli
from seqgen.corpus.catalogue import read_catalogue
from seqgen.evaluation import delayed_recall
from seqgen.music.io import write
from seqgen.music.io.midi_writer import midi_bytes
from seqgen.music.piece import Piece, regular_bars
from seqgen.music.signatures import Key, Meter
from seqgen.sampling.filters import FILTERS
from seqgen.tasks import base
from tests.conftest import SENTENCE
from tests.tasks.music.test_corpus import tune

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
FILES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = {path: path.read_text(encoding="utf-8") for path in FILES}
COMMANDS = list(
    dict.fromkeys(
        line
        for text in PAGES.values()
        for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        for line in re.sub(r"\\\n *", "", block).splitlines()
        if line and not line.startswith("#")
    )
)
# What needs a network or a server; `tests/studio` starts one and sends it such requests.
ELSEWHERE = ("pip", "curl", "uvicorn", "export")
# A model is trained before a page uses it, even if another page describes its training.
COMMANDS.sort(key=lambda command: 0 if "train" in command.split() else 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a reader has: a book, a folder of poems, a list of names, older pages."""
    folder = tmp_path
    (folder / "poems").mkdir()
    for name in ("book.txt", "letters.txt", "poems/1.txt", "poems/2.txt"):
        (folder / name).write_text(f"ROMEO:\n{SENTENCE}" * 100)
    (folder / "old.txt").write_bytes(("Grüße. " + SENTENCE * 100).encode("latin-1"))
    (folder / "names.txt").write_bytes((ROOT / "data" / "given-names.txt").read_bytes())
    write_tunes(folder / "my_midis")
    reviews = [("A lovely film.", "good"), ("Such a poor film!", "bad")] * 20
    rows = [f"{text} {number},{label}" for number, (text, label) in enumerate(reviews)]
    for name in ("reviews.csv", "new.csv", "test.csv"):
        (folder / name).write_text("\n".join(["text,label", *rows]))
    series = [f"{n % 2}.5,{n},{n % 3}.25:{'ab'[n % 2]}" for n in range(40)]
    (folder / "gestures.ts").write_text("\n".join(["@classLabel true a b", "@data", *series]))
    (folder / "start.mid").write_bytes(midi_bytes(tune(1)))
    write_pictures(folder)
    return folder


def write_pictures(folder: Path) -> None:
    """Small pictures in `faces`, and the upper half of one."""
    (folder / "faces").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (60, 4, 4, 3)).astype(np.uint8)
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).resize((40, 40)).save(folder / "faces" / f"{number}.jpg")
    Image.fromarray(pixels[0]).resize((40, 20)).save(folder / "half.png")


def write_tunes(folder: Path) -> None:
    """Tunes in two meters, in major and minor."""
    folder.mkdir()
    for i in range(1, 13):
        meter = (0, Meter(6, 8) if i % 2 else Meter(4, 4))
        key = (0, Key(i % 3, "minor" if i % 4 < 2 else "major"))
        bars = regular_bars(tune(i).length, (meter,))
        piece = Piece(tune(i).parts, bars, bars[-1] + meter[1].ticks, (meter,), (key,))
        (folder / f"{i}.mid").write_bytes(midi_bytes(piece))


def shortened(command: str) -> str:
    """The command with a tenth of a pass over small corpora, whatever length it gives or leaves
    out."""
    command = re.sub(r"\b(irish-tunes|bach-chorales)\b", "my_midis/", command)
    command = re.sub(r"\bpython-docs\b", "poems/1.txt", command)
    command = re.sub(r"--(minutes|epochs) [\d.]+", "--epochs 0.1", command)
    return re.sub(r"\bseqgen (train|compare)\b(?!.*--epochs)", r"\g<0> --epochs 0.1", command)


def run(command: str, folder: Path) -> str:
    """The output of a command. It runs in this process, which has imported TensorFlow, unless it
    needs a shell; only what another program pipes into it comes from one."""
    feeder, _, piped = shortened(command).rpartition(" | ")
    words = shlex.split(piped, comments=True)
    if words[0] in ELSEWHERE:
        return ">"
    if words[:2] == ["seqgen", "studio"]:  # it serves until it is ended: only its options are read
        context = click.Context(cli)
        studio = cli.get_command(context, "studio")
        assert studio is not None
        return repr(studio.make_context("studio", words[2:], parent=context).params)
    if words[0] == "make":
        ready = f"{sys.prefix}/ready"
        dry = ["make", "--dry-run", f"VENV={sys.prefix}", "--old-file", ready, *words[1:]]
        return subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    if words[0] == "seqgen" and ">" not in words:
        read = subprocess.check_output(feeder, shell=True, cwd=folder) if feeder else b""
        result = CliRunner().invoke(cli, words[1:], input=read, catch_exceptions=False)
        assert result.exit_code == 0, f"{command}\n{result.output}"
        return result.stdout
    script = f'seqgen() {{ "{sys.executable}" -m seqgen "$@"; }}\n{shortened(command)}'
    done = subprocess.run(["bash", "-ec", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout or ">"


def test_every_command_runs_after_those_before_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(COMMANDS) > 10
    monkeypatch.chdir(folder)
    monkeypatch.setattr(delayed_recall, "GAPS", (3,))
    for command in COMMANDS:
        assert run(command, folder).strip() or "-o" in command, command


def run_python(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the Python blocks of a page one after another, as a reader would in one session."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(base, "_TASKS", dict(base._TASKS))  # a page may register its own
    monkeypatch.setattr(write, "WRITERS", dict(write.WRITERS))
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    with mock.patch.dict(FILTERS):  # a page may add its own
        exec(re.sub(r"minutes=\d+", "epochs=0.1", "\n".join(blocks)), {"__name__": "__main__"})


def test_python(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_python(README, folder, monkeypatch)
    assert capsys.readouterr().out.startswith("The ")


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_the_demo_runs(tmp_path: Path) -> None:
    model, tunes = tmp_path / "demo.keras", tmp_path / "tunes"
    write_tunes(tunes)
    model.write_text("what was there before")
    done = subprocess.run(
        ["make", "demo", f"VENV={sys.prefix}", "--old-file", f"{sys.prefix}/ready",
         "DEMO_MINUTES=0.01", f"DEMO_MODEL={model}", f"DEMO_TUNES={tunes}"],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "MAKEFLAGS": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("== temperature") == 3
    assert done.stdout.count(str(model)) >= 2
    assert (tmp_path / "demo-1.keras").read_text() == "what was there before"
    for ending in ("s.keras", ".mid", ".png", ".wav"):
        assert (tmp_path / f"demo-tune{ending}").exists(), ending
        assert f"demo-tune{ending}" in done.stdout


def test_every_named_corpus_is_documented() -> None:
    for name in read_catalogue():
        assert any(f"`{name}`" in text for text in PAGES.values())


def test_every_option_is_documented() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        for option in command.params:
            for spelling in option.opts:
                whole = re.compile(
                    re.escape(spelling) + r"(?![\w-])"
                )  # `--min-p` documents no `--min`
                documented = any(whole.search(text) for text in PAGES.values())
                assert not spelling.startswith("--") or documented, spelling


def test_links_and_pictures_exist() -> None:
    for path, text in PAGES.items():
        prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)#:]+)\)", prose):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


@pytest.mark.parametrize(
    "page",
    [path for path in PAGES if path.parent.name == "docs" and "```python" in PAGES[path]],
    ids=lambda page: page.name,
)
def test_python_on_a_page(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if page.name == "studio.md":  # a client of a server, and a cluster of them
        pytest.skip("needs a server; tests/studio starts one")
    if page.name == "share.md":  # it reads what a command of the page has written
        monkeypatch.chdir(folder)
        shutil.copy(ROOT / "tests" / "saved" / "text-0.1.keras", folder / "book.keras")
        (export,) = (each for each in COMMANDS if each.startswith("seqgen export"))
        run(export, folder)
    run_python(PAGES[page], folder, monkeypatch)

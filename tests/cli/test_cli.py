"""The command line; in real processes only where the process itself is tested."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from seqgen import model as library
from seqgen.cli import COMMANDS, cli
from seqgen.cli.options import parse_cell_options
from seqgen.errors import OutputError, SeqgenError
from seqgen.reporting.progress_bar import ProgressBar
from seqgen.tasks.load import load_corpus
from seqgen.training.callbacks import Progress
from seqgen.training.output import save
from seqgen.training.train import train
from seqgen.utils.locks import lock
from tests.conftest import PATIENCE, SENTENCE, Run

SMALL = ("--units", 8, "--embedding", 8, "--batch-size", 4, "--window", 16)


def assert_one_line(stderr: str, message: str) -> None:
    """The last line is the error; at most the corpus and the chosen options precede it."""
    *before, error = stderr.splitlines()
    assert error.startswith("Error: ")
    assert re.search(message, error), error
    assert all(re.match(r"\S+: [\d,]+ characters, |chosen: ", line) for line in before), stderr
    assert len(before) <= 2


def test_every_command_and_option_is_documented() -> None:
    context = click.Context(cli)
    for name, summary in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command and command.help and command.help.startswith(f"{summary}\n"), name
        assert "Examples:" in command.help, name
        assert f"seqgen {name}" in command.help
        for option in command.params:
            assert option.param_type_name == "argument" or option.help, (name, option.name)


def test_train_generate_info(book: Path, tmp_path: Path, seqgen: Run, seqgen_process: Run) -> None:
    train = ("train", book, "-o", "b.keras", "--epochs", 0.2, *SMALL, "--json")
    done = seqgen_process(*train, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert {"model", "parameters", "tokens_seen", "seconds"} < summary.keys()
    assert summary["bits_per_token"] == pytest.approx(summary["validation_loss"] / 0.6931, rel=0.01)
    assert summary["model"] == "b.keras"
    assert (
        "book: 15,800 characters, 31 different; 14,220 for training, 1,580 held out" in done.stderr
    )
    assert done.stderr.count("validation") >= 10

    done = seqgen_process("generate", "b.keras", "--length", 50, "--seed", 1, cwd=tmp_path)
    assert (done.returncode, len(done.stdout)) == (0, 50)
    assert done.stderr == "no run of 34 characters or more is copied from the corpus\n"

    done = seqgen_process("info", "b.keras", "--json", cwd=tmp_path)
    facts = json.loads(done.stdout)
    assert facts["parameters"] == summary["parameters"]
    assert facts["vocabulary_size"] == 31 and "vocabulary" not in facts
    assert facts["model_config"]["units"] == 8
    assert facts["corpus"]["split"]["validation_tokens"] == 1580
    assert facts["scores"]["validation_loss"] == summary["validation_loss"]
    done = seqgen("info", "b.keras", cwd=tmp_path)
    for part in ("lstm, 1 x 8 units", "15,800 characters", "0.2 epochs", facts["corpus"]["sha256"]):
        assert part in done.stdout


def test_text_and_nothing_else_goes_to_stdout(
    trained: Path, seqgen: Run, seqgen_process: Run
) -> None:
    options = ("--prompt", "The quick", "--length", 70, "--temperature", 0)
    done = seqgen_process("generate", trained, *options)
    assert done.stdout == SENTENCE
    copied = r"longest run copied from the corpus: 79 characters\nseed (\d+)\n"
    seed = re.fullmatch(copied, done.stderr)[1]
    wild = ("generate", trained, "--temperature", 5, "--length", 60)
    first = seqgen(*wild, "--seed", seed).stdout
    assert first == seqgen(*wild, "--seed", seed).stdout
    assert first != seqgen(*wild, "--seed", 1).stdout
    assert len({seqgen(*wild).stdout for _ in range(2)}) == 2
    empty = seqgen("generate", trained, "--prompt", "", "--length", 5)
    assert empty.stdout and "the text starts at the beginning of a line" in empty.stderr


def test_several_texts_and_a_file(trained: Path, tmp_path: Path, seqgen: Run) -> None:
    wild = ("generate", trained, "--temperature", 5, "--length", 30, "--seed", 4, "-n", 3)
    texts = seqgen(*wild).stdout.split(f"\n{'-' * 15}\n")
    assert [len(text) for text in texts] == [30, 30, 30]
    assert len(set(texts)) == 3
    for _ in range(2):
        done = seqgen(*wild, "-o", "out.txt", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, "")
    assert "out.txt already exists; it is renamed to out-1.txt" in done.stderr
    for name in ("out.txt", "out-1.txt"):
        assert (tmp_path / name).read_text().split(f"\n{'-' * 15}\n") == texts


def test_lines(tmp_path: Path, seqgen: Run) -> None:
    (tmp_path / "names.txt").write_text("anna\nbert\n" * 200)
    train = ("train", "names.txt", "--lines", "-o", "n.keras", "--epochs", 8, "--units", 16)
    done = seqgen(*train, "--learning-rate", 0.02, "--batch-size", 4, "--window", 16, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = seqgen("generate", "n.keras", "-n", 20, "--temperature", 0.3, cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert len(lines) == 20
    assert set(lines) == {"anna", "bert"}


def test_a_corpus_from_a_folder_and_standard_input(book: Path, tmp_path: Path, seqgen: Run) -> None:
    (tmp_path / "texts").mkdir()
    for number in (1, 2):
        (tmp_path / f"texts/{number}.txt").write_bytes(book.read_bytes())
    (tmp_path / "texts/cover.png").write_bytes(b"\x89PNG")
    run = ("--epochs", 0.05, *SMALL)
    done = seqgen("train", "texts", *run, cwd=tmp_path)
    assert "skipped texts/cover.png: is a binary file" in done.stderr
    assert ": 31,600 characters" in done.stderr
    assert done.stdout == "texts.keras\n"
    (tmp_path / "stdin.keras").write_text("what was there before")
    done = seqgen("train", "-", *run, cwd=tmp_path, input=book.read_text())
    assert done.stdout == "stdin-1.keras\n"


def test_every_error_is_one_line(
    trained: Path, tmp_path: Path, seqgen: Run, seqgen_process: Run
) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "short.txt").write_text("too short")
    (tmp_path / "latin.txt").write_bytes("déjà vu".encode("latin-1"))
    (tmp_path / "binary.txt").write_bytes(b"a\0b")
    (tmp_path / "folder").mkdir()
    (tmp_path / "part.keras").write_bytes(trained.read_bytes()[:20_000])
    for command, message in [
        ("train nothing.txt", "no such file, folder or glob, and no named corpus"),
        ("train empty.txt", "empty.txt is empty"),
        ("train short.txt", "too little for one batch"),
        ("train latin.txt", r"is not utf-8 at byte 1 \(0xe9\); .*--encoding"),
        ("train binary.txt", "binary file"),
        ("train folder", "no text to learn from"),
        ("train short.txt --encoding klingon", "encoding: expected a name"),
        ("train short.txt --validation 2", "validation: expected a fraction"),
        ("train python-docs --minutes 0", "minutes: expected a number above 0, got 0.0"),
        ("train python-docs --minutes -1", "minutes: expected a number above 0"),
        ("train python-docs --minutes 1 --epochs 1", "either minutes or epochs"),
        ("train python-docs --units 0", "units: expected a whole number of at least 1"),
        ("train python-docs --cell-option nonsense=1 --minutes 1", "LSTM has no option 'nonsense'"),
        ("train python-docs --seed 5000000000", "seed: expected a whole number below"),
        ("train python-docs --cell-option activation=glu --minutes 1", "does not take them"),
        (f"train {'x' * 300}", "is not a readable path"),
        ("train python-docs -o model.h5", "expected a name that ends in .keras"),
        ("train python-docs -o nowhere/m.keras", "there is no folder nowhere"),
        ("generate nothing.keras", "nothing.keras: no such file"),
        ("generate part.keras", "only a part of one"),
        ("generate short.txt", "expected a .keras file made by seqgen train"),
        ("info binary.txt", "expected a .keras file made by seqgen train"),
        (f"generate {trained} --prompt Ω", r"never seen: 'Ω' \(U\+03A9 GREEK CAPITAL LETTER OM"),
        (f"generate {trained} --temperature -1", "temperature: expected a number of at least 0"),
        (f"generate {trained} --length -5", "length: expected a whole number of at least 0"),
        (f"generate {trained} --seed -5", "seed: expected a whole number"),
        (f"generate {trained} -o nowhere/x.txt", "there is no folder nowhere"),
    ]:
        done = seqgen(*command.split(), cwd=tmp_path)
        assert done.returncode == 1, command
        assert done.stdout == ""
        assert_one_line(done.stderr, message)
    done = seqgen_process("generate", "nothing.keras", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert_one_line(done.stderr, "nothing.keras: no such file")


@pytest.mark.parametrize(
    "command",
    ["train", "generate", "nonsense", "train x --cell rnn", "train x --units many",
     "generate x -n 0", "train x --cell-option relu"],
)  # fmt: skip
def test_wrong_usage_exits_with_2(command: str, seqgen: Run) -> None:
    done = seqgen(*command.split())
    assert done.returncode == 2
    assert "Usage: " in done.stderr


def test_skip_unknown(trained: Path, seqgen: Run) -> None:
    options = ("--prompt", "ΩThe quick", "--length", 6, "--temperature", 0, "--skip-unknown")
    assert seqgen("generate", trained, *options).stdout == "The quick brown"


def test_corpora(seqgen: Run) -> None:
    rows = {row["name"]: row for row in json.loads(seqgen("corpora", "--json").stdout)}
    assert rows["python-docs"]["here"] and rows["python-code"]["here"]
    assert rows["tiny-shakespeare"]["characters"] == 1_115_394
    listed = seqgen("corpora").stdout
    for name, row in rows.items():
        assert name in listed and row["licence"] in listed


def test_a_corpus_that_cannot_be_downloaded(
    tmp_path: Path, seqgen: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for proxy in ("http_proxy", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    done = seqgen("train", "tiny-shakespeare", cwd=tmp_path)
    assert done.returncode == 1
    assert_one_line(done.stderr, "tiny-shakespeare could not be downloaded from https://")
    assert list(tmp_path.iterdir()) == []


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"ended without {text!r}")


def test_ctrl_c_saves_the_model(book: Path, tmp_path: Path, seqgen: Run) -> None:
    command = [sys.executable, "-m", "seqgen", "train", str(book), "-o", "m.keras"]
    process = subprocess.Popen(
        [*command, "--epochs", "60", *map(str, SMALL)],  # a tenth of it until a validation
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    wait_for(process, "validation")
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, stderr
    assert "ended early" in stderr and "Traceback" not in stderr
    assert stdout == "m.keras\n"
    assert len(seqgen("generate", tmp_path / "m.keras", "--length", 9).stdout) == 9


def test_ctrl_c_before_the_first_step_saves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "seqgen", "train", "-", "-o", "m.keras"]
    process = subprocess.Popen(
        command, cwd=tmp_path, encoding="utf-8",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(SENTENCE * 50_000)  # more than a pipe holds, so the process has read some
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "Traceback" not in stderr and "Aborted!" in stderr
    assert list(tmp_path.iterdir()) == []


def test_a_closed_pipe_ends_the_command(trained: Path) -> None:
    pipe = f"{sys.executable} -m seqgen generate {trained} --length 1000000 --seed 1 | head -c 9"
    done = subprocess.run(pipe, shell=True, capture_output=True, encoding="utf-8", timeout=PATIENCE)
    assert len(done.stdout) == 9
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
@pytest.mark.parametrize("options", ["", "--json"])
def test_a_full_disk_that_stdout_is_written_to_is_reported(trained: Path, options: str) -> None:
    command = f"{sys.executable} -m seqgen generate {trained} --length 9 --seed 1 {options}"
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        f"{command} > /dev/full",
        shell=True, capture_output=True, encoding="utf-8", timeout=PATIENCE, env=buffered,
    )  # fmt: skip
    assert done.returncode == 1
    assert_one_line(done.stderr, "standard output cannot be written: No space left on device")


def test_characters_that_the_locale_lacks(tmp_path: Path, seqgen_process: Run) -> None:
    """Also in a file name, which need not be text at all."""
    name = os.fsdecode(b"b\xfck")
    (tmp_path / f"{name}.txt").write_text("жж♫ 猫\n" * 500, encoding="utf-8")
    options = {
        "cwd": tmp_path,
        "env": {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        "errors": "surrogateescape",
    }
    done = seqgen_process("train", f"{name}.txt", "--epochs", 0.5, *SMALL, **options)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{name}.keras\n"
    prompt = ("--prompt", "猫", "--seed", 1)
    done = seqgen_process("generate", f"{name}.keras", *prompt, **options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("猫")
    assert len(done.stdout) == 501


def test_process_substitution_of_bash_is_a_file(trained: Path, book: Path) -> None:
    command = f'{sys.executable} -m seqgen evaluate "{trained}" <(cat "{book}")'
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, encoding="utf-8", timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert "15,800 characters" in done.stdout


def test_closed_standard_input(tmp_path: Path) -> None:
    command = f"{sys.executable} -m seqgen train - <&-"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert_one_line(done.stderr, "standard input is closed")


def test_closed_standard_output(trained: Path) -> None:
    command = f"{sys.executable} -m seqgen generate {trained} --length 9 >&-"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, encoding="utf-8", timeout=PATIENCE
    )
    assert done.returncode == 1
    assert_one_line(done.stderr, "standard output is closed")


def test_options_of_the_cell(book: Path, tmp_path: Path) -> None:
    run = ["train", str(book), "--epochs", "0.05", *map(str, SMALL), "--json"]
    run += ["-o", str(tmp_path / "m.keras"), "--cell-option", "use_bias=False"]
    done = CliRunner().invoke(cli, run, catch_exceptions=False)
    embedding, dense = 31 * 8, (8 + 1) * 31
    assert json.loads(done.stdout)["parameters"] == embedding + 4 * 8 * (8 + 8) + dense


def test_values_of_cell_options_are_json_or_python() -> None:
    texts = ("a=false", "b=False", "c=0.5", "d=relu", 'e={"f": null}')
    assert parse_cell_options(None, None, texts) == {
        "a": False, "b": False, "c": 0.5, "d": "relu", "e": {"f": None}
    }  # fmt: skip
    deep = "[" * 100_000
    assert parse_cell_options(None, None, (f"a={deep}",)) == {"a": deep}


def test_generation_with_keras_is_noted(book: Path, tmp_path: Path, seqgen: Run) -> None:
    options = {"units": 8, "batch_size": 4, "window": 16, "epochs": 0.05}
    corpus = load_corpus(book)
    train(corpus, cell_options={"activation": "softmax"}, **options).save(tmp_path / "m.keras")
    done = seqgen("generate", "m.keras", "--length", 5, "--seed", 1, cwd=tmp_path)
    assert len(done.stdout) == 5
    assert done.stderr.startswith(
        "the cell options of this model need Keras, which generates more slowly\n"
    )


def test_a_model_that_cannot_be_written_is_saved_elsewhere(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    model = library.load(trained)
    with pytest.raises(OutputError, match=f"no folder .*; the model was .* to {tmp_path}/x.keras"):
        save(model, tmp_path / "gone" / "x.keras", print)
    assert library.load(tmp_path / "x.keras").generate(length=5)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    monkeypatch.setenv("HOME", str(tmp_path / "gone"))
    (tmp_path / "y.keras").mkdir()
    for left in ("is lost", "free some space, then repeat the command with -o .*y.keras --resume"):
        with pytest.raises(OutputError, match=f"a folder.*; it could not be written .* {left}$"):
            save(model, tmp_path / "y.keras", print)
        (tmp_path / "y.checkpoint").touch()


def test_options_of_sampling(trained: Path, tmp_path: Path, seqgen: Run) -> None:
    def write(*options: object) -> str:
        done = seqgen("generate", trained, "--prompt", "The ", "--seed", 3, *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    wild = ("--temperature", 3, "--length", 60)
    assert write(*wild, "--top-k", 1) == write(*wild, "--min-p", 1) == SENTENCE[:64]
    assert write(*wild, "--top-p", 0.001) == SENTENCE[:64]
    assert write("--beam", 4, "--length", 60) == SENTENCE[:64]
    assert write("--temperature-schedule", "0,0", "--length", 60) == SENTENCE[:64]
    assert write("--temperature", 0, "--stop", "jumps", "--length", 60) == "The quick brown fox "
    assert "o" not in write("--temperature", 0.5, "--ban", "o").removeprefix("The ")
    allowed = write("--temperature", 0.5, "--allow", "the ").removeprefix("The ")
    assert len(allowed) == 500 and set(allowed) <= {*"the "}
    assert write(*wild, "--repetition-penalty", 2, "--repetition-window", 8) != write(*wild)


def test_outputs_as_json(trained: Path, seqgen: Run) -> None:
    options = ("--prompt", "The ", "--length", 9, "--seed", 7, "--json")
    lines = seqgen("generate", trained, "-n", 3, *options).stdout.splitlines()
    found = [json.loads(line) for line in lines]
    assert [each["item"] for each in found] == [1, 2, 3]
    for each in found:
        assert each["text"] == "The " + "".join(each["tokens"]) and each["seed"] == 7
        assert len(each["log_probabilities"]) == 9 and max(each["log_probabilities"]) <= 0
    assert seqgen("generate", trained, "-n", 2, *options).stdout.splitlines() == lines[:2]


def test_invalid_options_of_sampling_are_errors(trained: Path, seqgen: Run) -> None:
    for options, message in (
        (("--top-k", 0), "top_k: expected a whole number from 1 to 1,000,000,000, got 0"),
        (("--top-p", 1.5), "top_p: expected a probability above 0 and at most 1, got 1.5"),
        (("--temperature-schedule", "0.5;1"), "expected comma-separated numbers"),
        (("--temperature", 1, "--temperature-schedule", "1,2"), "got both"),
        (("--stop", "Ω"), "the stop text has characters that the model has never seen: 'Ω'"),
        (("--allow", "é"), "allow has characters that the model has never seen: 'é'"),
        (("--allow", "a", "--ban", "a"), "expected that some character can still be generated"),
        (("--stop", "the", "--ban", "e"), "expected a text that can be generated, got 'the'"),
        (("--stop", ".", "--allow", "abc"), "is banned; change stop"),
        (("--beam", 2, "-n", 3), "expected at most 2, the size of the beam, got 3"),
        (("--beam", 2, "--top-p", 0.5), "so top p would have no effect"),
        (("--max-copy", 3), "max_copy: expected at least"),
        (("--bars", 3), "--bars applies to models of music"),
    ):
        done = seqgen("generate", trained, *options)
        assert done.returncode in (1, 2), options
        assert message in done.stderr and done.stdout == "", options
        assert len(done.stderr.splitlines()[-1]) < 300


def test_a_model_without_an_index(trained: Path, book: Path, tmp_path: Path, seqgen: Run) -> None:
    with zipfile.ZipFile(trained) as file:
        (index,) = (each for each in file.infolist() if each.filename.startswith("copies-"))
        assert 0 < index.file_size <= 14_220  # a byte for each training token
    run = ("train", book, "--epochs", 0.05, *SMALL)
    seqgen(*run, "-o", "without.keras", "--no-index", cwd=tmp_path)
    with zipfile.ZipFile(tmp_path / "without.keras") as file:
        assert not [name for name in file.namelist() if name.startswith("copies-")]
    done = seqgen("generate", "without.keras", "--length", 5, "--seed", 1, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    done = seqgen("generate", "without.keras", "--max-copy", 40, cwd=tmp_path)
    assert done.returncode == 1 and "--no-index" in done.stderr


def test_cells_are_compared(book: Path, tmp_path: Path, seqgen: Run) -> None:
    run = ["--no-recall", "--epochs", 0.2, *SMALL]
    done = seqgen("compare", book, "--cells", "gru,simple_rnn", *run, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    table = [line.split() for line in done.stdout.splitlines()]
    assert table[0][:2] == ["parameters", "characters/s"]
    assert [row[0] for row in table[1:]] == ["gru", "simple_rnn"]
    assert "plotted: compare.png" in done.stderr
    assert (tmp_path / "compare.png").read_bytes()[1:4] == b"PNG"
    assert not list(tmp_path.glob("*.keras"))


@pytest.mark.parametrize(
    "wrong, message",
    [
        ("--cells lstm,gru --cell-option unit_forget_bias=false", "GRU has no option"),
        ("--cells rnn", "cells: expected some of lstm, gru, simple_rnn, got 'rnn'"),
        ("-o picture.txt", "picture.txt: expected a name that ends in .png or .svg"),
        ("--transpose c", "transpose: expected an option of the task text"),
        ("--units 0", "units: expected a whole number"),
    ],
)
def test_invalid_comparisons_are_errors(wrong: str, message: str, book: Path) -> None:
    with pytest.raises(SeqgenError, match=message):
        CliRunner().invoke(cli, ["compare", str(book), *wrong.split()], catch_exceptions=False)


def test_a_comparison_as_json(book: Path, tmp_path: Path) -> None:
    output = tmp_path / "c.svg"
    run = ["--no-recall", "--epochs", "0.2", *map(str, SMALL), "--json", "-o", str(output)]
    done = CliRunner().invoke(cli, ["compare", str(book), "--cells", "gru", *run])
    found = json.loads(done.stdout)
    assert found["picture"] == str(output) and "<svg" in output.read_text()
    assert found["cells"]["gru"]["scores"]["validation_loss"] > 0


def test_the_window_of_the_penalty_may_exceed_the_output(trained: Path, seqgen: Run) -> None:
    far = ("--repetition-penalty", 1.2, "--repetition-window", 10**5, "--seed", 1)
    assert len(seqgen("generate", trained, "--length", 30, *far).stdout) == 30


@pytest.mark.parametrize(
    "command", ["generate ''", "info ''", "train x -o ''", "generate x -o ''", "render x -o ''"]
)
def test_an_empty_name_is_not_the_current_folder(command: str, seqgen: Run) -> None:
    done = seqgen(*shlex.split(command))
    assert done.returncode == 2 and "got an empty text; name one" in done.stderr


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux has /proc")
def test_an_output_into_stdout_is_appended(trained: Path, tmp_path: Path) -> None:
    """`-o /dev/stdout` renames no device, and empties no file that stdout is appended to."""
    command = f"{sys.executable} -m seqgen generate {trained} --prompt 'The quick' --temperature 0"
    (tmp_path / "log").write_text("before\n")
    done = subprocess.run(
        f"{command} --length 6 -o /dev/stdout >> log && echo after >> log",
        shell=True, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "log").read_text() == "before\nThe quick brownafter\n"
    assert Path("/dev/stdout").is_symlink() and not list(Path("/dev").glob("stdout-*"))


def test_an_output_through_a_link(trained: Path, tmp_path: Path, seqgen: Run) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/text.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("folder/text.txt")
    done = seqgen("generate", trained, "--length", 9, "-o", "link.txt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "link.txt").is_symlink()
    assert len((tmp_path / "folder/text.txt").read_text()) == 9
    assert (tmp_path / "folder/text-1.txt").read_text() == "old"
    assert re.search("renamed to .*folder/text-1.txt", done.stderr)


def test_outputs_are_tried_before_anything_is_read(tmp_path: Path, seqgen: Run) -> None:
    (tmp_path / "file").touch()
    for command in (
        "train missing.txt -o file/m.keras",
        "compare missing.txt -o file/c.png",
        "render missing.mid -o file/c.png",
        f"train missing.txt -o {'x' * 245}.keras",  # that of the checkpoint is too long
    ):
        done = seqgen(*command.split(), cwd=tmp_path)
        assert done.returncode == 1
        assert_one_line(done.stderr, "there is no folder file|nothing can be|choose a shorter name")


def test_messages_about_odd_names_are_one_line(tmp_path: Path, seqgen: Run) -> None:
    for name in ("two\nlines", "\x1b[2Jclear", "👩\u200d🎤", "a\u2028b"):
        done = seqgen("train", f"{name}.txt", cwd=tmp_path)
        assert_one_line(done.stderr, "no such file, folder or glob")
        assert "\x1b" not in done.stderr


def test_a_deleted_folder_is_an_error(
    trained: Path, tmp_path: Path, seqgen: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, generate = tmp_path / "gone", ("generate", trained, "-o", "x.txt")
    for command in (("train", "book.txt"), generate, ("compare", "book.txt")):
        folder.mkdir()
        monkeypatch.chdir(folder)
        folder.rmdir()
        done = seqgen(*command)
        assert done.returncode == 1, command
        assert_one_line(done.stderr, "no such file|the current folder was deleted")


def test_a_process_in_a_deleted_folder_ends_with_an_error(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    script = 'cd gone && rmdir ../gone && exec "$0" -m seqgen generate m.keras -o x.txt'
    done = subprocess.run(
        ["bash", "-c", script, sys.executable],
        cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 1
    assert_one_line(done.stderr, "no such file|the current folder was deleted")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", ">/dev/full", ">&-", "<&-"])
def test_streams_that_cannot_be_written(redirection: str, tmp_path: Path) -> None:
    for command, status in (("corpora", 0), ("train nothing.txt", 1)):
        done = subprocess.run(
            f"{sys.executable} -m seqgen {command} {redirection}",
            shell=True, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=PATIENCE,
        )  # fmt: skip
        assert done.returncode == (1 if redirection == ">/dev/full" else status)
        assert "Traceback" not in done.stderr and "Exception" not in done.stderr


# Every numeric option, and a value above its upper bound.
BOOK = "the file of the fixture `book`"
TOO_LARGE = {
    "train": {
        "--minutes": 1e6, "--epochs": 1e7, "--units": 2**31, "--layers": 101, "--embedding": 2**31,
        "--dropout": 1, "--learning-rate": 1e3, "--batch-size": 2**31, "--window": 2**31,
        "--recurrent-dropout": 1, "--weight-decay": 1e3, "--clip-norm": 1e7, "--seed": 2**32,
        "--validation": 0.6, "--min-count": 2**31, "--token-dropout": 1, "--levels": 1000,
        "--palette": 1000, "--max-length": 2**31, "--ngrams": 10,
    },
    "generate": {
        "--count": 2**31, "--temperature": 1e7, "--seed": 2**64, "--top-k": 2**31, "--top-p": 1.1,
        "--min-p": 1.1, "--max-copy": 2**31, "--repetition-penalty": 1e7, "--beam": 2**31,
        "--repetition-window": 2**31, "--length": 2**31, "--temperature-schedule": "0.5,1e7",
        "--bars": 10_001, "--tempo": 1001, "--repeat-strength": 1e7, "--primer-rows": 10_001,
    },
    "evaluate": {
        "--samples": 2**31, "--length": 2**31, "--bars": 10_001, "--temperature": 1e7,
        "--seed": 2**64,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", [300 * "x", 5000 * "x", "a\0b"])
@pytest.mark.parametrize(
    "command",
    [("train", BOOK, "--from"), ("train", BOOK, "-o"), ("info",), ("render", "a.mid", "-o")],
)
def test_a_name_that_no_file_can_have_is_an_error_of_one_line(
    command: tuple[str, ...], name: str, book: Path, seqgen: Run, tmp_path: Path
) -> None:
    arguments = [book if argument is BOOK else argument for argument in command]
    done = seqgen(*arguments, name, cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be the name of a file: " in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", TOO_LARGE)
def test_every_number_has_an_upper_bound(
    command: str, book: Path, trained: Path, seqgen: Run, tmp_path: Path
) -> None:
    music = Path(__file__).parents[1] / "saved" / "music-0.1.keras"
    numeric = (click.types.IntParamType, click.types.FloatParamType)
    parameters = cli.get_command(click.Context(cli), command).params
    options = {option.opts[-1] for option in parameters if isinstance(option.type, numeric)}
    assert options <= TOO_LARGE[command].keys()
    for option, value in TOO_LARGE[command].items():
        model = music if option in ("--bars", "--tempo") else trained
        source = book if command == "train" else model
        others = ("--samples", 1) if command == "evaluate" and option != "--samples" else ()
        for number in (value, "inf", "nan", "1e400", ""):
            done = seqgen(command, source, *others, option, number, cwd=tmp_path)
            assert done.returncode in (1, 2), (option, number)
            error = done.stderr.splitlines()[-1]
            name = option[2:].replace("-", "[_ -]")
            assert re.match("Error: ", error) and re.search(f"{name}|'-n'", error), error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_request_to_end_saves_the_model(
    name: str, book: Path, tmp_path: Path, seqgen: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_step(self: ProgressBar, progress: Progress) -> None:
        if progress.step >= 20:
            os.kill(os.getpid(), getattr(signal, name))  # more than once

    monkeypatch.setattr(ProgressBar, "on_step", on_step)
    done = seqgen("train", book, "-o", "m.keras", "--epochs", 200, *SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"ended early: {name}" in done.stderr
    assert "to continue this run, repeat the command with -o m.keras --resume" in done.stderr
    assert (tmp_path / "m.keras").exists() and (tmp_path / "m.checkpoint").exists()
    assert signal.getsignal(getattr(signal, name)) is signal.SIG_DFL


def test_a_second_run_on_one_output_is_told(book: Path, tmp_path: Path, seqgen: Run) -> None:
    with lock(tmp_path / "m.keras"):
        done = seqgen("train", book, "-o", "m.keras", "--epochs", 1, *SMALL, cwd=tmp_path)
    assert done.returncode == 1
    assert_one_line(done.stderr, "m.keras is being written by another process")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_removed_during_a_run(
    book: Path, tmp_path: Path, seqgen: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoints fail with a message, and the model is written elsewhere."""

    def on_step(self: ProgressBar, progress: Progress) -> None:
        if progress.step == 5:
            shutil.rmtree(tmp_path / "models")

    monkeypatch.setattr(ProgressBar, "on_step", on_step)
    monkeypatch.setattr("seqgen.training.checkpointer.SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "models").mkdir()
    done = seqgen("train", book, "-o", "models/m.keras", "--epochs", 0.1, *SMALL, cwd=tmp_path)
    assert done.returncode == 1
    assert "no checkpoint: models/m.checkpoint: there is no folder models" in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: models/m.keras: there is no folder models; create it")
    assert last.endswith(f"the model was written to {tmp_path}/m.keras")
    assert library.load(tmp_path / "m.keras").generate(length=5)


def test_a_corpus_that_has_changed_can_be_scored(tmp_path: Path, seqgen: Run) -> None:
    """Also under the name that it had when the model was trained on it."""
    model = Path(__file__).parents[1] / "saved" / "text-0.1.keras"
    (tmp_path / "book.txt").write_text(SENTENCE * 3)
    done = seqgen("evaluate", model, "book.txt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "book.txt has changed since the model was trained" in done.stderr
    assert done.stdout.startswith("book: 237 characters")

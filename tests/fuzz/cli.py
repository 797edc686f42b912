"""The command line: numbers of every option, empty and odd arguments, environment variables."""

from __future__ import annotations

import functools
import json
import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import click

from seqgen import native
from seqgen.cli import COMMANDS, cli
from seqgen.errors import SeqgenError
from seqgen.tasks.load import load_corpus
from seqgen.tasks.text import encoding
from seqgen.training import cluster
from tests.fuzz.mutate import mutated

SENTENCE = "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.\n"
SAVED = Path(__file__).parents[1] / "saved"
NUMBERS = (
    *("0", "-1", "1", "nan", "inf", "-inf", "1e400", "-1e400", "text", "", " ", "-0", "0.0", "1.0"),
    *("2147483648", "9223372036854775807", "9223372036854775808", "18446744073709551616"),
    *("1e308", "1e-320", "0x10", "1_0", "१", "1,0", "0.5,1.0", "0.5,,", "nan,1", ",", "9" * 5000),
    *("9" * 300, "1/0", "1e", "+1", "--1", "None", "true", "[1]", "\ud800", "²"),
)  # fmt: skip
TEXTS = (
    *("", " ", "-", "--", "-C5", " -C5", "C5-", "G3-C6", "C6-G3", "G3-G3", "x" * 5000, "\ud800"),
    *("é", "\n", "\x1b[2J", "👩‍🎤", "None", "0", "../..", "a=b", "=", "a=", "l2=1e400"),
    *("use_bias=nan", "kernel_regularizer={}", "units=3", "activation=" + "[" * 5000, "C", "Em"),
    *("4/4", "0/0", "3/7", "9999/4", "piano", "129", "G4/8 A4/8", "G4/3", "r/4", "lstm,gru", ","),
)  # fmt: skip
CORPORA = ("tiny.txt", "empty.txt", "missing.txt", "latin.txt")  # too small for any training
NOT_VARIED = ("--help", "--output", "--resume")
# Options that keep what is valid short.
SHORT = {
    "text": ("--length", "3", "--prompt", "The"),
    "music": ("--bars", "1", "--key", "C", "--meter", "4/4"),
}
WRITTEN = {
    "share": ("-o", "out.html"),
    "card": ("--samples", "0"),
    "export": ("--onnx", "out.onnx"),
}
SCORED = {"text": "book.txt", "music": "tune.abc"}
CONFIGS = (
    {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 0}},
    {"cluster": {"chief": ["a:1"], "worker": ["b:2"]}, "task": {"type": "chief", "index": 0}},
)
PLACES = (
    *("/dev/null/x", "/proc/self/x", "~nobody/x", "\n", "x" * 300, "x/" * 3000, "-", "\udcff", " "),
    *("~", "file", "missing/folder", "loop", "é", "/dev/full"),
)  # fmt: skip
Case = dict[str, Any]


def cases(seed: int) -> Iterator[Case]:
    """Plain data: a command, or the value of an environment variable."""
    draw = random.Random(seed)
    while True:
        kind = draw.choice(("command",) * 8 + ("TF_CONFIG", "SEQGEN_NATIVE", "SEQGEN_CACHE"))
        if kind == "command":
            yield {"kind": kind, "arguments": _command(draw)}
        elif kind == "TF_CONFIG":
            text = json.dumps(draw.choice(CONFIGS)).encode()
            yield {"kind": kind, "value": mutated(text, draw).decode("utf-8", "surrogateescape")}
        elif kind == "SEQGEN_NATIVE":
            yield {"kind": kind, "value": draw.choice((*NUMBERS, *TEXTS, *native.ISAS, "AVX2"))}
        else:
            yield {"kind": kind, "value": draw.choice(PLACES)}


@functools.cache
def _options(command: str) -> tuple[tuple[str, bool, bool], ...]:
    """The options of a command: name, whether it takes a value, and whether that is a number."""
    parameters = cli.get_command(click.Context(cli), command).params  # type: ignore[union-attr]
    numeric = (click.types.IntParamType, click.types.FloatParamType)
    return tuple(
        (option.opts[-1], not option.is_flag, isinstance(option.type, numeric))
        for option in parameters
        if isinstance(option, click.Option) and option.opts[-1] not in NOT_VARIED
    )


def _command(draw: random.Random) -> list[str]:
    command = draw.choice((*COMMANDS, "train", "generate", "generate", "evaluate"))
    arguments = [command]
    task = draw.choice(("text", "music"))
    given: set[str] = set()
    if command in ("train", "compare", "inspect"):
        arguments.append(draw.choice(CORPORA))
    elif command in ("generate", "evaluate", "info", "share", "card", "export"):
        arguments += [f"{task}.keras", *WRITTEN.get(command, ())]
    elif command == "studio":
        arguments.append("missing.keras")  # otherwise it would serve until it is stopped
    elif command == "render":
        arguments += ["tune.abc", "-o", "out.mid"]
    if command == "evaluate":
        arguments.append(SCORED[task])
    options = _options(command)
    count = min(len(options), draw.choice((1, 1, 2, 4)))
    for name, has_value, is_number in draw.sample(options, count):
        values = NUMBERS if is_number and draw.random() < 0.9 else draw.choice((NUMBERS, TEXTS))
        arguments += [f"{name}={draw.choice(values)}"] if has_value else [name]
        given.add(name)
    if command == "generate":
        for name, value in zip(SHORT[task][::2], SHORT[task][1::2], strict=True):
            arguments += [name, value] if name not in given else []
    return arguments


@functools.cache
def _folder() -> Path:
    """A working folder with models and corpora."""
    folder = Path(tempfile.mkdtemp(prefix="seqgen-fuzz-cli-"))
    for task in ("text", "music"):
        (folder / f"{task}.keras").write_bytes((SAVED / f"{task}-0.1.keras").read_bytes())
    (folder / "tiny.txt").write_text("a")
    (folder / "empty.txt").touch()
    (folder / "file").touch()
    (folder / "latin.txt").write_bytes(b"\xe9t\xe9")
    (folder / "book.txt").write_text(SENTENCE * 3)
    (folder / "tune.abc").write_text("X:1\nT:a\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\n")
    (folder / "loop").symlink_to("loop")
    return folder


def prepare() -> None:
    """Import what commands need."""
    for command in COMMANDS:
        _options(command)
    commands = [["generate", f"{task}.keras", *SHORT[task]] for task in SHORT]
    commands += [["evaluate", f"{task}.keras", SCORED[task]] for task in SCORED]
    for arguments in (*commands, ["compare", "tiny.txt"]):  # the last one imports TensorFlow
        with suppress(SeqgenError):
            run({"kind": "command", "arguments": arguments})


def run(case: Case) -> None:
    """Run a command, or what reads an environment variable."""
    before = Path.cwd()
    os.chdir(_folder())
    try:
        if case["kind"] == "command":
            cli.main(case["arguments"], prog_name="seqgen", standalone_mode=False)
        elif not set(case["value"]) & {"\0", "\ud800"}:  # no variable can have these
            with mock.patch.dict(os.environ, {case["kind"]: case["value"]}):
                _read_environment(case["kind"])
    except click.ClickException:
        pass  # a line about the usage
    finally:
        os.chdir(before)
        for path in _folder().glob("*.mid"):
            path.unlink()


def _read_environment(name: str) -> None:
    if name == "TF_CONFIG":
        rank, size = cluster.rank_and_size()
        assert 0 <= rank < size
    elif name == "SEQGEN_NATIVE":
        native.library.__wrapped__()
    else:
        with mock.patch.object(encoding, "IN_MEMORY_BYTES", 0):
            load_corpus("book.txt")
        load_corpus("tune.abc", task="music", validation=0)

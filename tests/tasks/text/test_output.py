import os
from pathlib import Path

import pytest

from seqgen.tasks.text import prompt as prompts
from tests.conftest import SENTENCE, Run

GREEDY = ("--length", 6, "--temperature", 0)


@pytest.mark.parametrize("content", [b"The quick", b"\xef\xbb\xbfThe quick\n", b"The quick\r\n"])
def test_a_prompt_of_a_file(content: bytes, trained: Path, tmp_path: Path, seqgen: Run) -> None:
    (tmp_path / "prompt.txt").write_bytes(content)
    done = seqgen("generate", trained, "--prompt-file", tmp_path / "prompt.txt", *GREEDY)
    assert done.stdout == "The quick brown"


def test_a_prompt_of_standard_input(trained: Path, seqgen: Run) -> None:
    done = seqgen("generate", trained, "--prompt-file", "-", *GREEDY, input=f"{SENTENCE}The quick")
    assert done.stdout == f"{SENTENCE}The quick brown"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--prompt-file", "none.txt"), "prompt_file: expected a file, got 'none.txt'"),
        (("--prompt-file", "."), "prompt_file: expected a file, got '.'"),
        (("--prompt-file", ""), "got an empty text"),
        (("--prompt-file", "latin.txt"), "latin.txt is not utf-8 at byte 0"),
        (("--prompt-file", "long.txt"), "expected at most 9 characters, got more; shorten"),
        (("--prompt-file", "latin.txt", "--prompt", "x"), "either a prompt or a file with it"),
    ],
)
def test_files_that_are_no_prompts(
    options: tuple[str, ...], message: str, trained: Path, tmp_path: Path, seqgen: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(prompts, "MOST_CHARACTERS", 9)
    (tmp_path / "latin.txt").write_bytes(b"\xe9t\xe9")
    (tmp_path / "long.txt").write_text("x" * 10)
    done = seqgen("generate", trained, *options, cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert message in done.stderr.splitlines()[-1]


def test_a_prompt_file_is_an_option_of_text(seqgen: Run) -> None:
    music = Path(__file__).parents[2] / "saved" / "music-0.1.keras"
    done = seqgen("generate", music, "--prompt-file", os.devnull)
    assert "--prompt-file applies to models of text" in done.stderr

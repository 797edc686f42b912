"""Music on the command line; in a real process where a model is first used."""

import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from seqgen.cli import cli
from seqgen.corpus import catalogue
from seqgen.errors import OutputError
from seqgen.music.analysis.measures import full_bars
from seqgen.music.io.midi_writer import midi_bytes
from seqgen.music.io.read import read_file
from seqgen.music.signatures import Key, Meter
from seqgen.tasks.music.output import piece_paths
from tests.conftest import Run
from tests.tasks.music.test_corpus import tune

SAVED = Path(__file__).parents[1] / "saved" / "music-0.1.keras"


@pytest.fixture(scope="module")
def tunes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tunes, and two files that cannot be used."""
    folder = tmp_path_factory.mktemp("tunes")
    for i in range(1, 7):
        (folder / f"{i}.mid").write_bytes(midi_bytes(tune(i)))
    jig = "X:1\nT:Jig\nM:6/8\nL:1/8\nK:G\nGAB GAB|c2e d3|BAG AFD|G3 G3|]\n"
    (folder / "jig.abc").write_text(jig)
    (folder / "broken.mid").write_bytes(b"MThd")
    (folder / "notes.txt").write_text("Bring the fiddle.")
    return folder


@pytest.fixture(scope="module")
def model(tunes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tunes.keras"
    command = (
        *("train", tunes, "-o", path, "--epochs", 3, "--units", 32, "--batch-size", 2),
        *("--window", 16, "--learning-rate", 0.02, "--dropout", 0, "--recurrent-dropout", 0),
    )
    done = CliRunner().invoke(cli, list(map(str, command)), catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    assert "skipped " in done.stderr and "broken.mid: is no MIDI file" in done.stderr
    assert "melody encoding" in done.stderr
    assert re.search(r"bits\) per token, [\d.]+ bits per note; ", done.stderr)
    assert "| M:" in done.stderr  # a sample
    return path


def test_a_tune_has_the_requested_properties(
    model: Path, tmp_path: Path, seqgen: Run, seqgen_process: Run
) -> None:
    done = seqgen_process(
        *("generate", model, "-o", "tune.mid", "--bars", 8, "--key", "G", "--meter", "6/8"),
        *("--tempo", 90, "--instrument", "fiddle", "--seed", 3),
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "tune.mid\n")
    assert re.fullmatch(r"(longest run .*|no run of .* is copied from the corpus)\n", done.stderr)
    piece = read_file(tmp_path / "tune.mid").pieces[0]
    assert (piece.key, piece.meter, piece.tempo) == (Key(1), Meter(6, 8), 90)
    assert piece.parts[0].program == 110
    assert full_bars(piece) == 1
    again = seqgen(
        *("generate", model, "-o", "again.mid", "--bars", 8, "--key", "G", "--meter", "6/8"),
        *("--tempo", 90, "--instrument", "fiddle", "--seed", 3),
        cwd=tmp_path,
    )
    assert again.returncode == 0
    assert (tmp_path / "again.mid").read_bytes() == (tmp_path / "tune.mid").read_bytes()


def test_nothing_is_overwritten_and_the_names_are_printed(
    model: Path, tmp_path: Path, seqgen: Run
) -> None:
    names = [seqgen("generate", model, "--bars", 2, cwd=tmp_path).stdout for _ in range(2)]
    corpus = json.loads(seqgen("info", model, "--json").stdout)["corpus"]["name"]
    assert names == [f"{corpus}.mid\n", f"{corpus}-1.mid\n"]
    assert all((tmp_path / name.strip()).exists() for name in names)


def test_no_folder_is_made_if_the_output_cannot_be_written(
    model: Path, tmp_path: Path, seqgen: Run
) -> None:
    for wrong in (("--key", "J"), ("--top-k", 0), ("--range", "C9-C2")):
        assert seqgen("generate", model, "-n", 3, *wrong, cwd=tmp_path).returncode == 1
    assert not list(tmp_path.iterdir())


def test_several_pieces_are_written_to_a_folder(model: Path, tmp_path: Path, seqgen: Run) -> None:
    primer = ("--primer", "G4/4 A4/4", "--bars", 1)
    done = seqgen("generate", model, *primer, "-n", 3, "-o", "new/", "--seed", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    files = done.stdout.splitlines()
    assert len(files) == 3 and all(file.startswith("new/") for file in files)
    for file in files:
        notes = read_file(tmp_path / file).pieces[0].notes
        assert [note.pitch for note in notes[:2]] == [67, 69]
    done = seqgen("generate", model, *primer, "-n", 2, cwd=tmp_path)
    name = json.loads(seqgen("info", model, "--json").stdout)["corpus"]["name"]
    assert done.stdout.split() == [f"{name}-new/{name}-1.mid", f"{name}-new/{name}-2.mid"]
    done = seqgen("generate", model, *primer, "-n", 2, "-o", "t.abc", cwd=tmp_path)
    assert done.stdout.split() == ["t-1.abc", "t-2.abc"]


def test_ignored_parts_of_a_primer_are_reported(model: Path, tmp_path: Path, seqgen: Run) -> None:
    tune = "X:{}\nM:4/4\nL:1/4\nK:C\n{}|\n\n"
    (tmp_path / "two.abc").write_text(tune.format(1, "[CEG]DEF") + tune.format(2, "GABc"))
    (tmp_path / "one.abc").write_text(tune.format(1, "CDEF"))
    said = (
        "two.abc holds 2 pieces; the music continues the first one",
        "2 notes of the primer sound at the same time as others: left out",
    )
    for name, lines in (("two.abc", said), ("one.abc", ())):
        primer = ("--primer", name, "--bars", 1, "--seed", 1)
        done = seqgen("generate", model, *primer, "-o", "new.mid", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        about = [line for line in done.stderr.splitlines() if "primer" in line or "holds" in line]
        assert about == list(lines)


def test_an_output_that_ends_in_a_slash_is_a_folder(tmp_path: Path) -> None:
    for count, name in ((1, "new"), (2, "folder.v2"), (2, "jigs.abc"), (1, "tune.mid")):
        paths = piece_paths("a", f"{tmp_path / name}/", count)
        assert paths == [tmp_path / name / f"a-{i}.mid" for i in range(1, count + 1)]
    (tmp_path / "jigs.abc").mkdir()
    assert piece_paths("a", str(tmp_path / "jigs.abc"), 1) == [tmp_path / "jigs.abc" / "a-1.mid"]
    for count, name in ((1, "new"), (2, "folder.v2")):
        with pytest.raises(OutputError, match=rf"ends in .* in a slash: .*{name}/"):
            piece_paths("a", str(tmp_path / name), count)


def test_info_describes_the_corpus(model: Path, seqgen: Run) -> None:
    done = seqgen("info", model)
    assert "music         7 pieces, 113 notes; melody encoding, learned in C" in done.stdout
    facts = json.loads(seqgen("info", model, "--json").stdout)
    assert facts["task"] == "music" and facts["scores"]["bits_per_note"] > 0


@pytest.mark.parametrize("ending", ["abc", "musicxml", "mxl", "wav", "png", "svg"])
def test_every_format(ending: str, model: Path, tmp_path: Path, seqgen: Run) -> None:
    path = tmp_path / f"tune.{ending}"
    done = seqgen("generate", model, "-o", path, "--bars", 2, "--seed", 1)
    assert done.returncode == 0, done.stderr
    start = {"abc": b"%abc-2.1", "mxl": b"PK", "wav": b"RIFF", "png": b"\x89PNG"}.get(ending, b"<")
    assert path.read_bytes().startswith(start)
    if ending in ("abc", "musicxml", "mxl"):
        assert read_file(path).notes > 0


def test_render(tunes: Path, tmp_path: Path, seqgen: Run) -> None:
    score, roll, sound = (tmp_path / name for name in ("score.png", "roll.png", "tune.wav"))
    for options in (("-o", score), ("-o", roll, "--piano-roll"), ("-o", sound)):
        done = seqgen("render", tunes / "jig.abc", *options)
        assert (done.returncode, done.stderr) == (0, "")
    assert score.read_bytes() != roll.read_bytes()
    assert sound.stat().st_size > 100_000
    done = seqgen("render", tunes / "jig.abc", "-o", sound, "--piano-roll")
    assert done.returncode != 0 and "a piano roll is a picture" in done.stderr


def test_inspect(tunes: Path, seqgen: Run) -> None:
    done = seqgen("inspect", tunes)
    assert done.returncode == 0
    rows = dict(re.split(r"\s\s+", line, maxsplit=1) for line in done.stdout.splitlines())
    assert rows[str(tunes / "jig.abc")] == "17 notes, 4 bars, 6/8, G"
    assert rows[str(tunes / "broken.mid")].startswith("skipped: is no MIDI file")
    assert done.stderr.splitlines()[-1] == "7 of 9 files can be used, 2 are skipped"
    rows = json.loads(seqgen("inspect", tunes / "jig.abc", "--json").stdout)
    assert rows[0]["kept"] and rows[0]["meters"] == ["6/8"]


def test_inspect_shows_terms_of_use(tunes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = catalogue.find([tunes / "jig.abc"])._replace(terms=("songs: not to be sold",))
    monkeypatch.setattr(catalogue, "find", lambda corpora: found)
    for options in ([], ["--json"]):
        done = CliRunner().invoke(cli, ["inspect", "songs", *options])
        assert done.stderr.splitlines()[0] == "songs: not to be sold"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("generate", "MODEL", "--prompt", "Dear"), "--prompt applies to models of text"),
        (("generate", "MODEL", "--key", "C#dor"), "key: expected one that the model knows"),
        (
            ("generate", "MODEL", "--meter", "9/16"),
            "meter: expected one that the model knows, got 9/16; use",
        ),
        (("generate", "MODEL", "--range", "C1-D1"), "range: expected notes that the model knows"),
        (("generate", "MODEL", "-o", "tune.mp3"), "expected a name that ends in .mid"),
        (("generate", "MODEL", "-o", "no/tune.mid"), "there is no folder no"),
        (("generate", "MODEL", "--bars", "-1"), "bars: expected a whole number"),
        (("generate", "MODEL", "--primer", "gone.mid"), "gone.mid cannot be read"),
        (("generate", "MODEL", "-o", "new.v2", "-n", "2"), "in a slash: new.v2/, got '.v2'"),
        (("generate", "TEXT", "-o", "new.mid"), "expected the name of a text file"),
        (("generate", "TEXT", "--bars", "4"), "--bars applies to models of music"),
        (("generate", "TEXT", "--no-echo"), "--no-echo applies to models of music"),
        (("render", "TUNES/broken.mid", "-o", "a.png"), "is no MIDI file"),
        (("render", "TUNES/jig.abc", "-o", "a.gif"), "expected a name that ends in"),
        (("train", "TUNES", "--encoding", "latin-1"), "encoding: expected melody or polyphony"),
        (("train", "TUNES/broken.mid"), "no music to learn from"),
        (("train", "TUNES", "--lines"), "lines: expected an option of the task music"),
        (("train", "TUNES/1.mid", "--task", "text"), "is a binary file; expected plain text"),
    ],
)
def test_every_error_is_one_line(
    arguments: tuple[str, ...],
    message: str,
    model: Path,
    trained: Path,
    tunes: Path,
    tmp_path: Path,
    seqgen: Run,
) -> None:
    places = {"MODEL": str(model), "TEXT": str(trained), "TUNES": str(tunes)}
    done = seqgen(
        *(re.sub("^(MODEL|TEXT|TUNES)", lambda m: places[m[0]], each) for each in arguments),
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1, done.stderr
    assert message in done.stderr
    assert not list(tmp_path.iterdir())


def test_pipes_and_devices_are_read_to_their_end_or_refused(
    tunes: Path, tmp_path: Path, seqgen: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqgen.corpus.special_files.SECONDS_TO_WAIT", 0.0)
    os.mkfifo(tmp_path / "pipe.mid")
    for name, message in (("pipe.mid", "no program has written"), ("/dev/zero", "is a device")):
        done = seqgen("render", name, "-o", "x.abc", cwd=tmp_path)
        assert done.returncode == 1 and message in done.stderr, done.stderr


def test_a_long_primer_is_no_file(seqgen: Run) -> None:
    done = seqgen("generate", SAVED, "--primer", "G4/8 " * 1000 + "x")
    assert done.returncode == 1 and "notes: expected something like" in done.stderr


def test_a_range_without_its_beginning_is_an_error(seqgen: Run) -> None:
    for text in (" -C5", "-", "C5-", "--range"):
        done = seqgen("generate", SAVED, f"--range={text}")
        assert done.returncode == 1, text
        assert "Error: " in done.stderr.splitlines()[-1] and "expected something" in done.stderr

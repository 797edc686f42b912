"""Generated pictures have the size and the colours of the model, and complete a primer."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seqgen import Model, load, load_corpus
from seqgen.copying.codes import index_of
from seqgen.copying.report import longest_copy
from seqgen.errors import ConfigError, CorpusError, OutputError
from seqgen.mixing import tree
from seqgen.mixing.mixture import Weights
from seqgen.mixing.parameters import MixtureParameters
from seqgen.tasks.images.colours import values
from seqgen.tasks.images.copying import PixelCodes
from seqgen.tasks.images.generate import upper_part
from seqgen.tasks.images.grid import Grid
from seqgen.tasks.images.output import picture_paths
from tests.conftest import Run
from tests.tasks.images.pictures import png_header, stripes

WIDTH, HEIGHT = 6, 5
LEVELS = {0, 128, 255}


@pytest.fixture(scope="module")
def model(striped: Path) -> Model:
    return load(striped)


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 0},
        {"temperature": 50.0},
        {"top_k": 2, "top_p": 0.9, "min_p": 0.01},
        {"repetition_penalty": 1.5, "repetition_window": 8},
        {"temperature_schedule": (0.5, 2.0)},
        {"beam": 3},
    ],
)
def test_every_picture_has_all_its_pixels(model: Model, options: dict[str, object]) -> None:
    for picture in model.pictures(3, seed=1, scored=True, **options):
        assert picture.pixels.shape == (HEIGHT, WIDTH, 3)
        assert set(np.unique(picture.pixels)) <= LEVELS
        assert picture.image().size == (WIDTH, HEIGHT)
        assert len(picture.tokens) == len(picture.log_probabilities) == (WIDTH + 1) * HEIGHT - 1


def test_the_rows_are_equal_as_in_the_corpus(model: Model) -> None:
    pictures = [each.pixels for each in model.pictures(20, seed=0, temperature=0.7)]
    equal = [(picture == picture[:1]).mean() for picture in pictures]
    assert np.mean(equal) > 0.95
    assert len({picture.tobytes() for picture in pictures}) > 10


def test_a_picture_depends_on_the_seed_only(model: Model) -> None:
    one, *_ = model.pictures(1, seed=5)
    first, second = model.pictures(2, seed=5)
    np.testing.assert_array_equal(one.pixels, first.pixels)
    assert (first.pixels != second.pixels).any()


@pytest.mark.parametrize("beam", [None, 2])
def test_repeat_strength_applies_to_pictures(model: Model, beam: int | None) -> None:
    size = len(model.data.vocabulary)
    weights = Weights.initial(order=1, suggestions=1)
    weights.base[-1] = -50  # of the match: nothing returns
    mixture = MixtureParameters(tree.count(np.arange(9 * size) % size, size, order=1), weights)
    mixed = Model(dataclasses.replace(model.data, mixture=mixture))

    def tokens(generating: Model, strength: float) -> list[str]:
        return next(generating.pictures(seed=1, beam=beam, repeat_strength=strength)).tokens

    assert tokens(mixed, 0) == tokens(model, 1) != tokens(mixed, 1)
    with pytest.raises(ConfigError, match="expected a model with a mixture"):
        tokens(model, 0)


def test_a_primer_is_kept_and_completed(model: Model, tmp_path: Path) -> None:
    picture = stripes(1, seed=7)[0]
    Image.fromarray(picture[:2]).save(tmp_path / "half.png")
    for completed in model.pictures(4, primer=tmp_path / "half.png", temperature=0, seed=0):
        np.testing.assert_array_equal(completed.pixels[:2, :, 0], picture[:2])
        assert completed.pixels.shape == (HEIGHT, WIDTH, 3)
        assert (completed.pixels[:, :, 0] == picture).mean() > 0.9


GRID = Grid(WIDTH, HEIGHT, ("#000000", "#808080", "#ffffff"))


@pytest.mark.parametrize(
    ("size", "rows", "kept"),
    [((6, 5), None, 2), ((60, 50), None, 2), ((6, 3), None, 3), ((60, 20), None, 2),
     ((6, 5), 4, 4), ((6, 3), 1, 1), ((6, 9), None, 2)],
)  # fmt: skip
def test_the_kept_rows_of_a_primer(
    tmp_path: Path, size: tuple[int, int], rows: int | None, kept: int
) -> None:
    Image.new("L", size, 255).save(tmp_path / "p.png")
    upper = upper_part(GRID, tmp_path / "p.png", rows)
    assert upper.shape == (kept, WIDTH) and (upper == 2).all()


def test_bad_primers_are_an_error(model: Model, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "bomb.png").write_bytes(png_header(30_000, 30_000))
    np.savez(tmp_path / "many.npz", images=stripes(3))
    for name, message in {
        "text.png": "primer: .*text.png is no picture in PNG",
        "bomb.png": "primer: .*bomb.png has 30,000 x 30,000 pixels.*scale it down$",
        "many.npz": "primer: .*many.npz holds 3 pictures; give a file with one picture",
        "none.png": "primer: .*none.png cannot be read: No such file.*leave it out$",
    }.items():
        with pytest.raises(CorpusError, match=message):
            next(model.pictures(primer=tmp_path / name))
    Image.new("L", (6, 3)).save(tmp_path / "part.png")
    for rows in (4, -1):
        with pytest.raises(ConfigError, match="primer_rows: expected a whole number from 0 to 3"):
            next(model.pictures(primer=tmp_path / "part.png", primer_rows=rows))
    with pytest.raises(ConfigError, match="primer_rows: expected a primer too, got none"):
        next(model.pictures(primer_rows=2))


def test_methods_of_other_tasks_are_an_error(model: Model) -> None:
    with pytest.raises(ConfigError, match="method of models of images, got texts; use pictures"):
        model.texts()


def test_copies_are_counted_in_pixels_and_limited(model: Model, tmp_path: Path) -> None:
    """Three rows of a picture of noise are completed by a model that has not learned it."""
    random = np.random.default_rng(0)
    noise = random.choice(np.array([0, 128, 255], np.uint8), (300, HEIGHT, WIDTH))
    np.savez(tmp_path / "noise.npz", images=noise)
    options = model.data.corpus["options"]
    corpus = load_corpus(tmp_path / "noise.npz", **options)
    codes = PixelCodes(corpus.vocabulary)
    index = index_of(corpus, codes)
    piece = np.append(0, corpus.ids[: GRID.length - 1])
    assert longest_copy([index], codes, piece) == WIDTH * HEIGHT
    picture = values(options["colours"])[GRID.decode(piece[1:])]
    Image.fromarray(picture).save(tmp_path / "known.png")
    knowing = Model(dataclasses.replace(model.data, indexes=[index]))
    found = [
        [
            each.longest_copy
            for each in knowing.pictures(
                30, seed=0, temperature=9.0, primer=tmp_path / "known.png", primer_rows=3, **limit
            )
        ]
        for limit in ({}, {"max_copy": 3 * WIDTH})
    ]
    assert max(found[0]) > 3 * WIDTH  # type: ignore[type-var]
    assert found[1] == [3 * WIDTH] * 30


def test_output_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert picture_paths("faces", None, 9) == [Path("faces.png")]
    assert picture_paths("faces", "sheet.png", 9) == [Path("sheet.png")]
    numbered = picture_paths("faces", "out/", 10)
    assert [path.name for path in numbered[:2]] == ["faces-01.png", "faces-02.png"]
    with pytest.raises(OutputError, match="expected a name that ends in .png"):
        picture_paths("faces", "sheet.mid", 1)
    with pytest.raises(OutputError, match="at most 10,000 pictures on a sheet, got 10,001"):
        picture_paths("faces", "sheet.png", 10_001)


def test_the_command_writes_a_picture_a_sheet_a_folder_and_a_row(
    striped: Path, tmp_path: Path, seqgen: Run
) -> None:
    done = seqgen("generate", striped, "-o", "one.png", "--seed", 1, cwd=tmp_path)
    assert done.stdout == "one.png\n" and size_of(tmp_path / "one.png") == (WIDTH, HEIGHT)
    assert "copied from the corpus" in done.stderr
    done = seqgen("generate", striped, "-n", 5, "-o", "sheet.png", "--seed", 1, cwd=tmp_path)
    assert done.stdout == "sheet.png\n"
    scale, gap = 10, 4  # 64 // 6, and a sixteenth of 60
    x_step, y_step = 6 * scale + gap, 5 * scale + gap
    assert size_of(tmp_path / "sheet.png") == (3 * x_step + gap, 2 * y_step + gap)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    first = np.asarray(Image.open(tmp_path / "one.png"))
    np.testing.assert_array_equal(sheet[gap : gap + 50 : scale, gap : gap + 60 : scale], first)
    done = seqgen("generate", striped, "-n", 2, "-o", "f/", "--seed", 1, cwd=tmp_path)
    names = done.stdout.split()
    assert len(names) == 2 and all(size_of(tmp_path / name) == (6, 5) for name in names)
    done = seqgen(
        "generate", striped, "--primer", "one.png", "-n", 4, "-o", "row.png", cwd=tmp_path
    )
    assert size_of(tmp_path / "row.png") == (4 * x_step + gap, y_step + gap)
    done = seqgen("generate", striped, "-n", 2, "--json", "-o", "a.png", cwd=tmp_path)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["item"] for row in rows] == [1, 2] and rows[0]["tokens"][6] == "<row 2>"
    assert (tmp_path / "a.png").exists()


def test_a_sheet_that_is_too_large_is_refused_before_anything_is_generated(
    striped: Path, tmp_path: Path, seqgen: Run
) -> None:
    Image.new("L", (6, 2)).save(tmp_path / "p.png")
    row = ("--primer", "p.png", "-n", 500, "-o", "row.png", "--json")
    done = seqgen("generate", striped, *row, cwd=tmp_path)
    assert done.returncode == 1 and "a sheet of 32,004 x 58 pixels is too large" in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--prompt", "a"), "--prompt applies to models of text, this is a model of images"),
        (("--length", 5), "--length applies to models of text"),
        (("--bars", 3), "--bars applies to models of music, this is a model of images"),
        (("--no-echo",), "--no-echo applies to models of music"),
        (("-o", "a.mid"), "expected a name that ends in .png"),
        (("-o", "missing/a.png"), "there is no folder missing"),
        (("--temperature", -1), "temperature: expected a number of at least 0"),
        (("--primer", "G4/8"), "primer: G4/8 cannot be read: No such file"),
    ],
)
def test_the_command_names_what_is_wrong(
    striped: Path, tmp_path: Path, seqgen: Run, arguments: tuple[object, ...], message: str
) -> None:
    done = seqgen("generate", striped, *arguments, cwd=tmp_path)
    assert done.returncode == 1 and message in done.stderr
    assert len([line for line in done.stderr.splitlines() if "Error" in line]) == 1
    assert not list(tmp_path.iterdir())


def test_image_options_on_text_are_named(
    trained: Path, book: Path, tmp_path: Path, seqgen: Run
) -> None:
    done = seqgen("train", book, "--levels", 8, cwd=tmp_path)
    assert done.returncode == 1 and "levels: expected an option of the task text" in done.stderr
    assert "set task to images" in done.stderr
    done = seqgen("generate", trained, "--primer-rows", 2, cwd=tmp_path)
    assert "--primer-rows applies to models of images, this is a model of text" in done.stderr


def test_evaluate_compares_with_the_context_model(striped: Path, seqgen: Run) -> None:
    done = seqgen("evaluate", striped, "--samples", 4, "--json")
    scores = json.loads(done.stdout)
    assert scores["pixels"] == 30 * 30 and scores["bits_per_pixel"] < 0.5
    assert scores["baseline"]["model"].startswith("context model of the pixels above")
    assert scores["baseline"]["bits_per_pixel"] > 0
    assert set(scores["samples"]) >= {"count", "brightness", "distinct", "longest_copy"}
    done = seqgen("evaluate", striped)
    assert "bits) per pixel" in done.stdout and "the context model of the pixels" in done.stdout
    done = seqgen("evaluate", striped, striped.parent / "stripes")
    assert "this is the training corpus" in done.stderr
    assert (
        "encoding: expected" in seqgen("evaluate", striped, "--encoding", "utf-8", "x.txt").stderr
    )


def test_other_pictures_are_scored_in_the_colours_of_the_model(
    striped: Path, tmp_path: Path, seqgen: Run
) -> None:
    for number, picture in enumerate(stripes(5, seed=3)):
        Image.fromarray(picture // 2 + 60).save(tmp_path / f"{number}.png")
    done = seqgen("evaluate", striped, tmp_path, "--json")
    assert json.loads(done.stdout)["pixels"] == 5 * 30


def test_info_inspect_and_a_preview(striped: Path, model: Model, seqgen: Run) -> None:
    assert "300 pictures, 6x5 pixels in 3 grey levels" in seqgen("info", striped).stdout
    lines = seqgen("inspect", striped.parent / "stripes").stdout.splitlines()
    assert len(lines) == 300 and lines[0].endswith("PNG, 6x5, grey")
    rows = model.preview().splitlines()
    assert len(rows) == HEIGHT and {len(row) for row in rows} == {2 * WIDTH}


def test_training_continues_from_a_model(striped: Path, tmp_path: Path, seqgen: Run) -> None:
    small = ("--batch-size", 8, "--window", 16, "--epochs", 0.1)
    train = ("train", striped.parent / "stripes", "--from", striped, *small)
    done = seqgen(*train, "-o", tmp_path / "b.keras")
    assert done.returncode == 0, done.stderr
    assert load(tmp_path / "b.keras").data.corpus["options"]["image_size"] == "6x5"
    done = seqgen(*train, "-o", tmp_path / "c.keras", "--image-size", "8x8")
    assert done.returncode == 1 and "image_size 6x5, not 8x8" in done.stderr


def test_a_resumed_run_equals_an_uninterrupted_one(striped: Path, tmp_path: Path) -> None:
    from seqgen import train
    from seqgen.training.callbacks import Callback, Progress

    class Interrupt(Callback):
        def on_step(self, progress: Progress) -> None:
            if progress.step == 12:
                raise KeyboardInterrupt

    corpus = load_corpus(striped.parent / "stripes")
    options = {"epochs": 1, "units": 16, "embedding": 8, "batch_size": 16, "window": 16,
               "dropout": 0.2, "recurrent_dropout": 0, "weight_decay": 0,
               "learning_rate": 0.01}  # fmt: skip
    whole = train(corpus, **options)
    path = tmp_path / "a.checkpoint"
    train(corpus, checkpoint_path=path, callback=Interrupt(), **options)
    resumed = train(corpus, checkpoint_path=path, resume=True)
    for one, other in zip(whole.data.weights, resumed.data.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)

"""Files of pictures become tokens, and bad ones a clear line."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from seqgen import load_corpus
from seqgen.corpus.sources import Source
from seqgen.errors import ConfigError, CorpusError
from seqgen.tasks import base, detect
from seqgen.tasks.images import files
from seqgen.tasks.images.colours import fitted, nearest, values
from seqgen.tasks.images.corpus import read
from seqgen.tasks.images.decoder import decode
from seqgen.tasks.images.grid import Grid
from seqgen.tasks.images.inspection import inspect
from seqgen.tasks.images.metadata import grid_of, require_valid
from seqgen.tasks.images.samples import pictures_of
from seqgen.utils.child import CallError
from seqgen.vocabulary import Vocabulary
from tests.tasks.images.pictures import png_header, stripes, write_folder


@given(st.integers(1, 5), st.integers(1, 5), st.integers(2, 6), st.integers(0, 1000))
def test_pictures_survive_the_tokens(width: int, height: int, colours: int, seed: int) -> None:
    grid = Grid(width, height, tuple(f"#{i:06x}" for i in range(colours)))
    indices = np.random.default_rng(seed).integers(0, colours, (3, height, width), np.uint8)
    ids = grid.encode(indices)
    assert ids.shape == (3, grid.length) and (ids[:, -1] == 0).all()
    assert ids.max() < len(grid.vocabulary)
    np.testing.assert_array_equal(grid.decode(ids), indices)
    np.testing.assert_array_equal(grid.decode(ids[:, :-1]), indices)
    assert grid.is_pixel(ids).sum() == 3 * grid.pixels


def test_a_folder_becomes_a_corpus(tmp_path: Path) -> None:
    pictures = stripes(40)
    corpus = load_corpus(write_folder(tmp_path / "stripes", pictures))
    assert corpus.task == "images"
    assert corpus.options == {"image_size": "6x5", "colours": ["#000000", "#808080", "#ffffff"]}
    assert corpus.vocabulary.tokens[:4] == ("<end>", "#000000", "#808080", "#ffffff")
    assert corpus.vocabulary.tokens[4:] == ("<row 2>", "<row 3>", "<row 4>", "<row 5>")
    assert corpus.network == {"lags": [6, 7, 5, 13]}
    grid = grid_of(corpus.metadata())
    found = np.concatenate(pictures_of(corpus, grid))
    levels = values(grid.colours)[:, 0]
    assert sorted(each.tobytes() for each in levels[found]) == sorted(p.tobytes() for p in pictures)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".gif", ".jpg"])
def test_every_format_is_read_and_detected(tmp_path: Path, suffix: str) -> None:
    path = write_folder(tmp_path / "stripes", stripes(3), suffix)
    sources = [Source(str(each), each) for each in path.iterdir()]
    assert detect.task_of(sources) == "images"
    nameless = [Source("picture", data=each.read_bytes()) for each in path.iterdir()]
    assert detect.task_of(nameless) == ("text" if suffix == ".bmp" else "images")
    assert len(load_corpus(path, levels=3).ids) == 3 * 35


def npz(**arrays: object) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def test_arrays_of_pictures_are_read_and_their_labels_ignored(tmp_path: Path) -> None:
    pictures = stripes(30)
    (tmp_path / "a.npz").write_bytes(
        npz(
            x_train=pictures[:20], y_train=np.arange(20), x_test=pictures[20:], y_test=np.arange(10)
        )
    )
    whole, folder = load_corpus(tmp_path / "a.npz"), write_folder(tmp_path / "f", pictures)
    same = load_corpus(folder)
    assert whole.options == same.options
    for ids in (whole.ids, same.ids):
        assert len(ids) == 30 * 35
    (tmp_path / "colours.npz").write_bytes(npz(images=np.stack([pictures] * 3, axis=3)))
    assert load_corpus(tmp_path / "colours.npz", palette=3).options == whole.options
    (tmp_path / "floats.npz").write_bytes(npz(images=pictures / 255))
    assert load_corpus(tmp_path / "floats.npz", task="images").options == whole.options


def test_series_of_floats_are_not_taken_for_pictures() -> None:
    series = Source("a.npz", data=npz(x=np.zeros((5, 30, 2))))
    assert detect.task_of([series]) != "images"


def test_colours_are_fitted_to_the_training_part_only(tmp_path: Path) -> None:
    """Held-out pictures may hold levels that no training picture has: they get the nearest one."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (60, 4, 4)).astype(np.uint8)
    corpus = load_corpus(write_folder(tmp_path / "noise", pictures), levels=4)
    grid = grid_of(corpus.metadata())
    training = corpus.training_length // grid.length
    order, found = [], np.concatenate(pictures_of(corpus, grid))
    for each in found:
        order.append(next(i for i, p in enumerate(pictures)
                          if (nearest(p[..., None], grid.colours) == each).all()))  # fmt: skip
    assert grid.colours == fitted(pictures[order[:training]][..., None], 4)
    assert grid.colours != fitted(pictures[..., None], 4)


def test_a_palette_is_made_of_the_colours_of_the_pictures(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    centres = np.array([[200, 30, 30], [30, 200, 30], [30, 30, 200], [240, 240, 240]])
    pixels = centres[random.integers(0, 4, (20, 6, 6))] + random.integers(-5, 6, (20, 6, 6, 3))
    corpus = load_corpus(write_folder(tmp_path / "c", pixels.astype(np.uint8)), palette=4)
    found = values(corpus.options["colours"]).astype(int)  # type: ignore[arg-type]
    assert len(found) == 4
    for centre in centres:
        assert np.abs(found - centre).max(axis=1).min() <= 5


def test_equal_pictures_are_on_one_side_of_the_split(tmp_path: Path) -> None:
    pictures = np.concatenate([stripes(10)] * 4)
    corpus = load_corpus(write_folder(tmp_path / "s", pictures), validation=0.3)
    training, held_out = pictures_of(corpus, grid_of(corpus.metadata()))
    assert len(training) and len(held_out)
    assert not {p.tobytes() for p in training} & {p.tobytes() for p in held_out}
    assert "30 of 40 pictures are equal to another one" in corpus.notes


def test_pictures_of_several_sizes_are_scaled_and_cropped(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "s", stripes(4))
    Image.new("L", (400, 100), 255).save(folder / "wide.png")
    corpus = load_corpus(folder)
    assert corpus.options["image_size"] == "16x16"
    assert "5 of 5 pictures were scaled and cropped to 16x16" in corpus.notes
    corpus = load_corpus(folder, image_size="6x5", levels=2)
    assert corpus.options["image_size"] == "6x5" and len(corpus.ids) == 5 * 35
    assert "1 of 5 pictures were scaled and cropped to 6x5" in corpus.notes


def test_the_default_size_is_known_without_reading_all_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Large pictures are decoded once."""
    content = io.BytesIO()
    Image.new("L", (40, 3)).save(content, "PNG")
    sources = [Source(f"{number}.png", data=content.getvalue()) for number in range(4)]
    decoded: list[str] = []
    result = files.result

    def counted(source: Source, *args: object, **options: object) -> files.FileResult:
        decoded.append(source.label)
        return result(source, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "result", counted)
    assert read(sources, name="wide", validation=0).options["image_size"] == "16x16"
    assert len(decoded) == 1 + len(sources)


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [("RGBA", (0, 0, 0, 0), 255), ("LA", (0, 0), 255), ("1", 1, 255), ("P", 0, 0),
     ("I;16", 32768, 128)],
)  # fmt: skip
def test_unusual_modes_are_converted(mode: str, value: object, expected: int) -> None:
    content = io.BytesIO()
    Image.new(mode, (3, 3), value).save(content, "PNG")  # type: ignore[arg-type]
    pixels = decode(content.getvalue(), (2, 2), grey=True).pixels
    assert (pixels == expected).all()


def test_the_first_frame_of_an_animation_is_used(tmp_path: Path) -> None:
    frames = [Image.new("L", (4, 4), value) for value in (0, 255)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    (found,) = inspect([Source("a.gif", tmp_path / "a.gif")])
    assert found.facts["format"] == "GIF" and found.facts["frames"] == 2
    assert found.line.endswith("2 frames, of which the first is used")
    pixels = decode((tmp_path / "a.gif").read_bytes(), (4, 4), grey=True).pixels
    assert (pixels == 0).all()


BAD = {
    "text.png": (b"no picture at all", "is no picture in PNG, JPEG, GIF, BMP or .npz format"),
    "empty.png": (b"", "is empty"),
    "bomb.png": (png_header(30_000, 30_000), "has 30,000 x 30,000 pixels; expected at most"),
    "cut.png": (png_header(8, 8), "is damaged: "),
    "labels.npz": (npz(labels=np.arange(3)), "holds no array of pictures, N x H x W"),
    "sizes.npz": (npz(a=stripes(2), b=stripes(2, 3, 3)), "pictures of several sizes"),
    "range.npz": (npz(a=stripes(2).astype(int) * 2), "values from 0 to 510; expected whole"),
    "nan.npz": (npz(a=np.full((2, 3, 3), np.nan)), "values from nan to nan; expected floats"),
    "cut.npz": (npz(a=stripes(2))[:-30], "is damaged: "),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_skipped_with_its_reason(tmp_path: Path, name: str) -> None:
    folder = write_folder(tmp_path / "s", stripes(4))
    data, reason = BAD[name]
    (folder / name).write_bytes(data)
    corpus = load_corpus(folder, task="images")
    assert len(corpus.ids) == 4 * 35
    assert any(name in note and reason in note for note in corpus.notes)
    (found,) = inspect([Source(name, data=data)])
    assert found.line.startswith("skipped: ") and reason in found.line
    with pytest.raises(CorpusError, match="no pictures to learn from: "):
        load_corpus(folder / name, task="images")


def test_one_picture_is_too_few(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "one", stripes(1))
    with pytest.raises(CorpusError, match="one: expected at least two pictures, got 1; add"):
        load_corpus(folder)


def test_a_reader_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def call(*_: object) -> bytes:
        raise CallError("takes more than 10 s")

    monkeypatch.setattr(files.CHILD, "call", call)
    found = files.result(Source("a.png", data=b"slow"))
    assert found.reason == "cannot be read: the reader Pillow takes more than 10 s"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": 1}, "levels: expected a whole number from 2 to 256, got 1"),
        ({"palette": 257}, "palette: expected a whole number from 2 to 256, got 257"),
        ({"levels": 4, "palette": 4}, "either levels or palette, got both"),
        ({"image_size": "16"}, "image_size: expected a width and a height from 1 to 128"),
        ({"image_size": "0x4"}, "image_size: expected"),
        ({"image_size": "4x999"}, "such as 16x16, got '4x999'"),
        ({"validation": 0.7}, "validation: expected a fraction from 0 to 0.5, got 0.7"),
        ({"lines": True}, "lines: expected an option of the task images"),
        ({"transpose": "c"}, "transpose: expected an option of the task images"),
        ({"levels": 2, "colours": ["#000000", "#808080", "#ffffff"]}, "model are 3 grey levels"),
    ],
)
def test_options_out_of_range_are_an_error(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    folder = write_folder(tmp_path / "s", stripes(4))
    with pytest.raises(ConfigError, match=message):
        load_corpus(folder, **options)


def metadata(**options: object) -> dict[str, object]:
    colours = ["#000000", "#ffffff"]
    return {
        "options": {"image_size": "2x2", "colours": colours, **options},
        "details": {"pictures": 3},
    }


TOKENS = ("<end>", "#000000", "#ffffff", "<row 2>")


@pytest.mark.parametrize(
    ("facts", "tokens", "message"),
    [
        (metadata(image_size="2x"), TOKENS, "image_size: expected a size such as 16x16"),
        (metadata(image_size="9999x2"), TOKENS, "image_size: expected a size"),
        (metadata(colours=[]), TOKENS, "colours: expected a list of 1 to 256"),
        (metadata(colours=["black"]), TOKENS, r"colours\[0\]: expected a colour"),
        (metadata(colours=["#000000"] * 2), TOKENS, "expected distinct colours"),
        (metadata(more=1), TOKENS, "'more' is not expected here"),
        (metadata(), TOKENS[:-1], "vocabulary: expected 4 tokens, got 3"),
        (metadata(), (*TOKENS, "x"), r"vocabulary\[4\]: expected no more tokens"),
        (metadata(), ("<end>", "#ffffff", "#000000", "<row 2>"), r"vocabulary\[1\]"),
        ({"options": metadata()["options"]}, TOKENS, "'details' is missing"),
    ],
)
def test_a_model_file_is_checked(
    facts: dict[str, object], tokens: tuple[str, ...], message: str
) -> None:
    require_valid(metadata(), Vocabulary(TOKENS))
    with pytest.raises(ValueError, match=message):
        require_valid(facts, Vocabulary(tokens))


def test_the_task_is_registered() -> None:
    assert "images" in base.names()

"""Readers of tables and of series."""

import json
from pathlib import Path

import numpy as np
import pytest

from seqgen.corpus.sources import Source, from_path
from seqgen.errors import CorpusError
from seqgen.tasks import detect
from seqgen.tasks.labels.examples import Examples
from seqgen.tasks.labels.files import is_examples, read_parts
from seqgen.tasks.labels.tables import Columns


def read(name: str, data: str | bytes, **columns: object) -> Examples:
    source = Source(name, data=data if isinstance(data, bytes) else data.encode())
    return read_parts([source], Columns(**columns), "utf-8")[0]  # type: ignore[arg-type]


ROWS = [("good, or not", "positive"), ("a\nline", "negative"), ('"quoted"', "positive")]


CELLS = """
"good, or not",positive
"a\nline",negative
""\"quoted""\",positive
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "review,Label" + CELLS),
        ("a.csv", "\ufefftext;class" + CELLS.replace('",', '";')),
        ("a.tsv", "text\tclass" + CELLS.replace('",', '"\t')),
        ("a.jsonl", "".join(json.dumps({"text": t, "label": x}) + "\n\n" for t, x in ROWS)),
    ],
)
def test_tables_of_every_kind_hold_the_same(name: str, text: str) -> None:
    examples = read(name, text)
    assert list(zip(examples.contents, examples.labels, strict=True)) == ROWS
    assert is_examples(Source(name, data=text.encode()))


def test_columns_are_named_by_the_user() -> None:
    text = "a,b,text,label\n1,2,3,4\n"
    examples = read("x.csv", text, text="b", label="a")
    assert (examples.contents, examples.labels) == (["2"], ["1"])


def test_rows_that_cannot_be_used_are_counted() -> None:
    rows = [{"text": "a", "label": 1}, {"text": " ", "label": 1}, {"label": 1},
            {"text": "b", "label": None}, {"text": "c", "label": ""}, {"text": 3}]  # fmt: skip
    examples = read("x.jsonl", "\n".join([*map(json.dumps, rows), "[1]", "{]"]))
    assert (examples.contents, examples.labels) == (["a"], ["1"])
    assert examples.messages() == [
        "skipped 7 of 8 rows: 1 with an empty text, 2 with no text, 2 with no label, "
        "2 with no object of JSON"
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.csv", "a,b\n1,2\n", "expected a column of texts, such as 'text' or 'sentence', got the "
         "columns a, b; name one with --text-column"),
        ("x.csv", "text,b\n1,2\n", "expected a column of labels"),
        ("x.csv", "text,label\n", "expected rows below the header, got none"),
        ("x.jsonl", "{]\n", "expected an object of JSON in line 1"),
        ("x.jsonl", "[1]\n", "expected an object of JSON in line 1, got list"),
        ("x.ts", "@classLabel true a\n@data\n1,x:a\n", "x.ts, line 3: expected numbers"),
        ("x.ts", "@timeStamps true\n@data\n", "expected series without time stamps"),
        ("x.ts", "1,2:a\n", "expected a line @data, got none"),
        ("x.tsv", "1\t2\t3\n1\tx\t3\n", "x.tsv, line 2: expected numbers and a label"),
        ("x.npz", b"PK", "x.npz cannot be read"),
        ("x.txt", "hello", "expected a table (.csv, .tsv, .jsonl), series"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_an_error(name: str, text: str | bytes, message: str) -> None:
    with pytest.raises(CorpusError) as error:
        read(name, text)
    assert message in str(error.value)


def test_a_missing_column_is_an_error_that_names_the_others() -> None:
    with pytest.raises(CorpusError, match="expected a column 'c', got the columns a, b"):
        read("x.csv", "a,b\n1,2\n", text="c")


def test_series_have_channels_lengths_and_missing_numbers() -> None:
    text = "#note\n@dimensions 2\n@classLabel true up down\n@data\n1,2,3:4,?,6:up\n7,8:9,10:down\n"
    examples = read("x.ts", text)
    first, second = examples.contents
    np.testing.assert_array_equal(first, [[1, 4], [2, np.nan], [3, 6]])
    np.testing.assert_array_equal(second, [[7, 9], [8, 10]])
    assert examples.labels == ["up", "down"]


def test_series_of_other_shapes_are_counted() -> None:
    text = "@classLabel true a\n@data\n1,2:a\n1,2:3,4:a\n?,?:a\ninf,1:a\n5:a\n"
    examples = read("x.ts", text)
    assert [len(each) for each in examples.contents] == [2, 1]
    assert dict(examples.skipped) == {
        "a series with 2 instead of 1 channels": 1,
        "a series without numbers": 1,
        "an infinite number": 1,
    }


def test_a_file_of_the_ucr_archive_is_padded_with_missing_numbers() -> None:
    examples = read("x.tsv", "1.0\t0.5\tNaN\t2\n-1\t3\tNaN\tNaN\n")
    assert examples.labels == ["1", "-1"]
    assert [len(each) for each in examples.contents] == [3, 1]


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 2)])
def test_arrays_are_read(tmp_path: Path, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    x[1, 3:] = np.nan
    np.savez(tmp_path / "x.npz", X=x, y=np.array(["a", "b", "a", "b"]))
    (source,) = from_path(str(tmp_path / "x.npz")) or []
    examples = read_parts([source], Columns(), "utf-8")[0]
    assert [len(each) for each in examples.contents] == [5, 3, 5, 5]
    assert examples.labels == ["a", "b", "a", "b"] and is_examples(source)
    np.testing.assert_array_equal(np.squeeze(examples.contents[0]), x[0])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"data": np.zeros(3)}, "expected the arrays X and y, got data"),
        ({"X": np.zeros(3)}, "of shape (N, T) or (N, T, D), got float64 of shape (3,)"),
        ({"X": np.array([["a"]])}, "expected numbers X"),
        ({"X": np.zeros((2, 3)), "y": np.zeros(3)}, "as many labels as series, got 3 and 2"),
        ({"X": np.array([[None]], object)}, "cannot be read"),
    ],
)
def test_other_arrays_are_an_error(
    tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, **arrays)
    with pytest.raises(CorpusError) as error:
        read("x.npz", path.read_bytes())
    assert message in str(error.value)


def test_a_pair_of_files_has_a_test_part(tmp_path: Path) -> None:
    for part, numbers in (("TRAIN", "1,2:a\n3,4:b\n"), ("TEST", "5,6:b\n")):
        (tmp_path / f"Name_{part}.ts").write_text(f"@classLabel true a b\n@data\n{numbers}")
    training, test = read_parts(from_path(str(tmp_path)) or [], Columns(), "utf-8")
    assert training.labels == ["a", "b"] and test.labels == ["b"]
    alone, none = read_parts(from_path(str(tmp_path / "*TEST*")) or [], Columns(), "utf-8")
    assert alone.labels == ["b"] and not len(none)


def test_arrays_of_both_parts_have_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x_train=np.zeros((2, 3)), y_train=np.array([0, 1]),
             x_test=np.ones((1, 3)), y_test=np.array([1]))  # fmt: skip
    training, test = read_parts(from_path(str(tmp_path / "x.npz")) or [], Columns(), "utf-8")
    assert training.labels == ["0", "1"] and test.labels == ["1"]


def test_a_folder_has_a_subfolder_for_every_label(tmp_path: Path) -> None:
    for label, text in (("good", b"fine"), ("bad", b"poor"), ("bad", b"\xff\xfe\xff")):
        (tmp_path / label).mkdir(exist_ok=True)
        (tmp_path / label / f"{len(text)}.txt").write_bytes(text)
    (tmp_path / "good" / "picture.png").write_bytes(b"\x89PNG")
    examples, _ = read_parts(from_path(str(tmp_path)) or [], Columns(), "utf-8")
    assert dict(zip(examples.contents, examples.labels, strict=True)) == {
        "fine": "good",
        "poor": "bad",
    }
    assert examples.skipped.total() == 2


@pytest.mark.parametrize(
    ("name", "data", "task"),
    [
        ("a.csv", b"text,label\nx,y\n", "labels"),
        ("a.csv", b"name,price\nx,1\n", "text"),
        ("a.tsv", b"1\t2\t3\n", "labels"),
        ("a.ts", b"@problemName x\n", "labels"),
        ("a.ts", b"const x = 1;\n", "text"),
        ("a.jsonl", b'{"text": "x", "label": 1}\n', "labels"),
        ("a.jsonl", b'{"id": 1}\n', "text"),
        ("a.jsonl", b"\xff{", "text"),
        ("a.npz", b"PK", "text"),
    ],
)
def test_the_task_is_detected(name: str, data: bytes, task: str) -> None:
    assert detect.task_of([Source(name, data=data)]) == task

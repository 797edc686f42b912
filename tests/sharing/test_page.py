"""The shared page in a real browser, from `file://`: the text of the command line, no request."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqgen import model_file
from seqgen.config import ModelConfig
from seqgen.copying.codes import TokenCodes
from seqgen.copying.index import CopyIndex, Pieces
from seqgen.copying.report import longest_copy
from seqgen.errors import ConfigError
from seqgen.inference.c_engine import CEngine
from seqgen.mixing.engine import mixed
from seqgen.mixing.mixture import Weights
from seqgen.mixing.parameters import MixtureParameters
from seqgen.mixing.tree import count
from seqgen.model import Model, mixture_of
from seqgen.model_file import ModelData
from seqgen.sharing.page import ENGINE, PageOptions, page
from seqgen.tasks.text.generate import TextGenerator, report
from seqgen.vocabulary import END, UNKNOWN, Vocabulary
from tests.conftest import Run, compiled
from tests.sharing.browser_pages import Browser, Page

SAVED = Path(__file__).parent.parent / "saved"
OPTIONS = PageOptions("book.keras")
WORST_TITLE = "</title><script>document.title='hacked'</script> [[data]] {{note}} é 漢 &amp;"


@pytest.fixture(scope="module")
def saved() -> ModelData:
    return model_file.load(SAVED / "text-0.1.keras")


def with_network(saved: ModelData, **options: object) -> ModelData:
    """The model with another network, of random weights."""
    config = ModelConfig(**{"units": 32, "embedding": 8, **options})
    random = np.random.default_rng(0)
    shapes = [s for layer in config.weight_shapes(len(saved.vocabulary)) for s in layer]
    weights = [random.normal(0, 0.4, shape).astype(np.float32) for shape in shapes]
    return replace(saved, model_config=config, weights=weights)


def with_mixture(saved: ModelData) -> ModelData:
    """The model of lines, with rare characters, mixed with n-grams and repetitions."""
    vocabulary = Vocabulary((END, UNKNOWN, *saved.vocabulary.tokens))
    data = with_network(replace(saved, vocabulary=vocabulary), cell="gru")
    random = np.random.default_rng(1)
    ids = random.choice(len(vocabulary), 3000, p=random.dirichlet(np.ones(len(vocabulary))))
    tree = count(ids, len(vocabulary), order=4, end_id=0)
    weights = Weights.initial(4, 1)
    for array in (weights.base, *weights.tables, weights.evidence):
        array += random.normal(0, 0.2, array.shape)
    return replace(data, mixture=MixtureParameters(tree, weights))


def native(data: ModelData, *, mix: bool = True) -> TextGenerator:
    """What `seqgen generate` runs with `SEQGEN_NATIVE=plain`, the arithmetic of WebAssembly.

    Faster instruction sets fuse products and sums, which changes the last bit of a float.
    """
    engine = CEngine(data.model_config, data.weights, isa="plain")
    mixture = mixture_of(data) if mix else None
    return TextGenerator(engine if mixture is None else mixed(engine, mixture), data.vocabulary)


def opened(browser: Browser, data: ModelData, folder: Path, options: PageOptions = OPTIONS) -> Page:
    path = folder / "page.html"
    path.write_bytes(page(Model(data), options))
    return browser.open(path)


@compiled
@pytest.mark.parametrize(
    "options",
    [
        {"cell": "lstm", "layers": 2},
        {"cell": "gru", "layers": 2},
        {"cell": "simple_rnn"},
        {"cell": "lstm", "cell_options": {"use_bias": False}},
    ],
)
def test_the_text_is_that_of_the_command_line(
    browser: Browser, saved: ModelData, tmp_path: Path, options: dict[str, object]
) -> None:
    data = with_network(saved, **options)
    shown = opened(browser, data, tmp_path)
    for fields in (
        {"seed": 1, "temperature": 1.0},
        {"seed": 2**64 - 1, "temperature": 1.3, "top_k": 5},
        {"seed": 2**32, "temperature": 0.9, "top_p": 0.9},
        {"seed": 7, "temperature": 0.8, "min_p": 0.1},
        {"seed": 8, "temperature": 1.5, "top_k": 9, "top_p": 0.8, "min_p": 0.02},
        {"seed": 0, "temperature": 0},
    ):
        wanted = native(data).generate("The quick", length=300, **fields)
        assert shown.write("The quick", length=300, **fields) == wanted, fields


@compiled
def test_a_mixture_and_lines(browser: Browser, saved: ModelData, tmp_path: Path) -> None:
    data = with_mixture(saved)
    shown = opened(browser, data, tmp_path)
    lengths = set()
    for seed in range(5):
        wanted = native(data).generate("", length=2500, seed=seed, temperature=0.7)
        assert shown.write("", length=2500, seed=seed, temperature=0.7) == wanted, seed
        lengths.add(len(wanted))
    assert len(lengths) > 1 and 0 not in lengths  # the end token ends a line, but is not its first

    alone = opened(browser, data, tmp_path, replace(OPTIONS, mix=False))
    wanted = native(data, mix=False).generate("a", length=50, seed=3)
    assert alone.write("a", length=50, seed=3) == wanted


def test_copies_are_found_with_the_index(
    browser: Browser, saved: ModelData, tmp_path: Path
) -> None:
    shown = opened(browser, saved, tmp_path, replace(OPTIONS, with_index=True))
    model, lines = Model(saved), set()
    for temperature in (0, 2, 40):
        fields = {"length": 300, "temperature": temperature, "seed": 4}
        (text,) = model.texts(prompt="The ", **fields)
        "".join(text)
        shown.write("The ", **fields)
        (line,) = report([text])
        assert shown.status.endswith(f"; {line}")
        lines.add(line)
    assert len(lines) > 1
    shared = page(Model(saved), OPTIONS)
    assert b'id="index-0"' not in shared and b'"indexes": []' in shared

    other = replace(saved, indexes=[])
    with pytest.raises(ConfigError, match="with_index: expected a model with an index"):
        page(Model(other), replace(OPTIONS, with_index=True))


def test_the_index_counts_the_start_of_a_piece(
    browser: Browser, saved: ModelData, tmp_path: Path
) -> None:
    data = with_mixture(saved)
    text = native(data).generate("", length=400, seed=2, temperature=0.7)
    ids = np.array([0, *data.vocabulary.encode(text)])
    codes = TokenCodes(data.vocabulary, "characters")
    pieces = Pieces(ids[1:], np.array([0, len(ids) - 1]), codes.table)
    data = replace(data, indexes=[CopyIndex.of(pieces, order=5)])
    shown = opened(browser, data, tmp_path, replace(OPTIONS, with_index=True))
    assert shown.write("", length=400, seed=2, temperature=0.7) == text
    assert longest_copy(data.indexes, codes, ids) == len(text)
    assert shown.status.endswith(f"longest run copied from the corpus: {len(text)} characters")


def test_what_users_type_is_checked(browser: Browser, saved: ModelData, tmp_path: Path) -> None:
    shown = opened(browser, saved, tmp_path)
    for prompt, fields, message in (
        ("Zebra ☃", {}, 'the model has never seen these characters: "Z", "☃"; leave them out'),
        ("", {"temperature": "hot"}, "Temperature: expected a number from 0 to"),
        ("", {"top_p": 2}, "Top-p: expected a number from"),
        ("", {"length": 1.5}, "Characters: expected a whole number from 0 to"),
        ("", {"seed": 2**64}, "Seed: expected a whole number from 0 to 18446744073709551615"),
    ):
        shown.write(prompt, **fields)
        assert message in shown.status
    assert shown.write("The ", length=10).startswith("The ")  # the page goes on


def test_buttons(browser: Browser, saved: ModelData, tmp_path: Path) -> None:
    shown = opened(browser, saved, tmp_path)
    text = shown.write("The ", length=40)
    with shown.tab.expect_download() as download:
        shown.tab.click("#download")
    assert download.value.path().read_text(encoding="utf-8") == text
    assert download.value.suggested_filename == "text.txt"
    seeds = set()
    shown.tab.uncheck("#lock")
    for _ in range(3):
        shown.tab.click("#write")
        shown.wait()
        seeds.add(shown.tab.input_value("#seed"))
    assert len(seeds) == 3
    shown.tab.fill("#length", "100000000")
    shown.tab.click("#write")
    while len(shown.text) < 100:
        shown.tab.wait_for_timeout(10)
    shown.tab.click("#stop")
    shown.wait()
    assert shown.status == "stopped"


def test_nothing_is_run_or_requested_but_the_page(
    browser: Browser, saved: ModelData, tmp_path: Path
) -> None:
    corpus = {**saved.corpus, "name": WORST_TITLE}
    worst = PageOptions("<b>.keras", WORST_TITLE, f"{WORST_TITLE}\n<img src=x onerror=alert(1)>")
    shown = opened(browser, replace(saved, corpus=corpus), tmp_path, worst)
    assert shown.tab.title() == shown.tab.text_content("h1") == WORST_TITLE
    assert shown.tab.text_content(".note").endswith("<img src=x onerror=alert(1)>")
    assert "<script>" in shown.tab.text_content("details").replace("\\", "")
    assert shown.tab.locator("img, h1 *, .note *, details pre *").count() == 0
    # The policy also stops what the page itself would try.
    blocked = "fetch('https://example.org').then(() => 'sent', () => 'blocked')"
    assert shown.tab.evaluate(blocked) == "blocked"
    added = "const s = document.createElement('script'); s.text = 'window.ran = 1'; document.body"
    assert shown.tab.evaluate(f"() => {{ {added}.append(s); return window.ran ?? 0; }}") == 0
    shown.messages.clear()  # of the two attempts
    assert [address for address in shown.requests if not address.startswith("file:")] == []


@pytest.mark.parametrize(("units", "layers"), [(128, 1), (256, 1), (512, 1), (256, 2)])
def test_a_page_is_small(saved: ModelData, units: int, layers: int) -> None:
    tokens = tuple(map(chr, range(40, 140)))
    data = replace(saved, vocabulary=Vocabulary(tokens))
    data = with_network(data, units=units, layers=layers, embedding=64)
    assert len(page(Model(data), OPTIONS)) <= 1.4 * data.parameters + 150_000


def test_the_engine_is_small_and_asks_for_nothing() -> None:
    code = ENGINE.read_bytes()
    assert len(code) < 60_000
    imports = 2  # the number of a section of WebAssembly; the sections follow 8 bytes
    assert code[:4] == b"\0asm" and code[8] == 1
    size = code[9] & 127 | (code[10] & 127) << 7 if code[9] & 128 else code[9]
    after_types = 8 + 1 + (2 if code[9] & 128 else 1) + size
    assert code[after_types] != imports


def test_models_of_other_tasks_are_refused() -> None:
    music = model_file.load(SAVED / "music-0.1.keras")
    with pytest.raises(ConfigError, match="expected a model of text, got one of music"):
        page(Model(music), OPTIONS)


def test_the_command(tmp_path: Path, seqgen: Run) -> None:
    (tmp_path / "page.html").write_text("an older page")
    options = ("--title", "Foxes", "--note", "of one sentence", "--license", "mit", "--no-mix")
    done = seqgen("share", SAVED / "text-0.1.keras", "-o", "page.html", *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "page.html\n"), done.stderr
    shared = (tmp_path / "page.html").read_bytes()
    for part in (b"<h1>Foxes</h1>", b"of one sentence", b"Licence of the model: mit"):
        assert part in shared
    assert (tmp_path / "page-1.html").read_text() == "an older page"
    done = seqgen("share", SAVED / "text-0.1.keras", "-o", "page.txt", cwd=tmp_path)
    assert done.returncode == 1 and "ends in .html; try page.html" in done.stderr

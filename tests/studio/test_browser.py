"""The page in a real browser: what a person would do, and no error in its console."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from seqgen.music.io.read import read_file
from tests.conftest import SENTENCE, require

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--autoplay-policy=no-user-gesture-required"]  # fmt: skip
PATIENCE = 60_000  # milliseconds, on a busy machine
SCRIPT = "<script>document.title = 'broken into'</script><img src=x onerror=alert(1)>"

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    require(found, "needs a browser: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def studio(*arguments: object) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a studio in a process of its own, and the process."""
    command = [sys.executable, "-m", "seqgen", "studio", *map(str, arguments)]
    with subprocess.Popen(
        [*command, "--port", "0", "--no-browser"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def address(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("studio") / "library"
    shutil.copytree(model_folder, folder)
    with studio(folder) as (address, _):
        yield address


@pytest.fixture
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page, at the width of a telephone or of a desk. At the end its console has no errors."""
    width = getattr(request, "param", 1280)
    context = browser.new_context(viewport={"width": width, "height": 800}, accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error"
            and "status of 4" not in message.text else None)  # fmt: skip
    page.on("request", lambda asked: faults.append(asked.url)
            if not asked.url.startswith((address, "blob:", "data:")) else None)  # fmt: skip
    page.goto(address)
    expect(page.get_by_role("heading", name="words")).to_be_visible()
    yield page
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    context.close()
    assert not faults and overflow <= 0


def open_tab(page: Page, name: str) -> "Page":
    page.get_by_role("button", name=name, exact=True).click()
    return page.get_by_role("region", name=name)  # type: ignore[return-value]


both_widths = pytest.mark.parametrize("page", [360, 1280], indirect=True)


@both_widths
def test_texts_are_written_changed_and_found_again(page: Page) -> None:
    text = open_tab(page, "Text")
    text.get_by_label("Prompt").fill("The ")
    text.get_by_label("Length").fill("200")
    text.get_by_label("Candidates").fill("2")
    text.get_by_label("Seed", exact=True).fill("3")
    text.get_by_label("keep the seed").check()
    outputs, facts = text.locator(".text"), text.locator(".facts")
    text.get_by_role("button", name="Write").click()
    expect(facts.filter(has_text="longest run copied from the corpus")).to_have_count(2)
    first, second = (outputs.nth(i).inner_text() for i in range(2))
    assert first.startswith("The ") and second.startswith("The ")
    assert outputs.nth(0).locator(".copied").count() > 30
    length = outputs.nth(0).locator(".copy-length").first.inner_text()
    assert re.fullmatch(r"\[\d+\]", length)
    text.get_by_role("button", name="Write").click()  # the seed is locked
    expect(text.get_by_role("button", name="Back to this one")).to_have_count(2)
    expect(facts.filter(has_text="longest run copied from the corpus")).to_have_count(2)
    assert outputs.nth(0).inner_text() == first
    outputs.nth(0).locator("[data-at='5']").hover()
    menu = page.get_by_role("menu")
    expect(menu.get_by_role("menuitem")).to_have_count(6)
    chosen = menu.get_by_role("menuitem").nth(2)
    letter = chosen.locator("span").first.inner_text()
    letter = {"space": " ", "line end": "\n"}.get(letter, letter)
    chosen.click()
    expect(text.get_by_role("button", name="Back to this one")).to_have_count(3)
    expect(facts.filter(has_text="cop")).to_have_count(2)
    changed = outputs.nth(0).text_content() or ""
    assert changed[:10] == first[:9] + letter
    text.get_by_role("button", name="Back to this one").last.click()
    assert (outputs.nth(0).text_content() or "") == first.replace(length, "")


def test_the_keyboard_reaches_the_alternatives(page: Page) -> None:
    text = open_tab(page, "Text")
    text.get_by_label("Prompt").fill("The ")
    text.get_by_label("Prompt").press("Control+Enter")
    expect(text.locator(".facts").filter(has_text="cop")).to_be_visible()
    text.locator(".text").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_role("menu")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(text.get_by_role("button", name="Back to this one")).to_have_count(2)


def test_texts_are_copied_and_downloaded(page: Page, tmp_path: Path) -> None:
    text = open_tab(page, "Text")
    text.get_by_label("Length").fill("50")
    text.get_by_role("button", name="Write").click()
    expect(text.locator(".facts").filter(has_text="cop")).to_be_visible()
    text.get_by_role("button", name="Copy").click()
    expect(text.locator(".facts").filter(has_text="copied to the clipboard")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    with page.expect_download() as download:
        text.get_by_role("button", name="Download").click()
    download.value.save_as(tmp_path / "text.txt")
    assert (tmp_path / "text.txt").read_text() == copied and len(copied) == 50


def test_a_long_text_is_stopped(page: Page) -> None:
    text = open_tab(page, "Text")
    text.get_by_label("Length").fill("100000")
    text.get_by_role("button", name="Write").click()
    expect(text.locator("[data-at='10']")).to_be_attached()
    text.get_by_role("button", name="Stop").click()
    expect(text.get_by_role("button", name="Write")).to_be_enabled()
    assert 10 < len(text.locator(".text").inner_text()) < 100_000


@pytest.mark.parametrize(
    ("label", "value", "message"),
    [
        ("Prompt", "Ωmega", "characters that the model has never seen: 'm'"),
        ("Prompt", SCRIPT, "characters that the model has never seen: '\"'"),
        ("Temperature", "-1", "temperature: expected a number of at least 0, got -1"),
        ("Longest copy", "2", "max_copy: expected at least"),
        ("Length", "0.5", "max_tokens: expected a whole number"),
    ],
)
def test_mistakes_are_shown_as_text(page: Page, label: str, value: str, message: str) -> None:
    text = open_tab(page, "Text")
    text.get_by_label(label, exact=True).fill(value)
    text.get_by_role("button", name="Write").click()
    expect(page.get_by_role("alert")).to_contain_text(message.split(":")[0])
    assert page.title() == "seqgen studio"
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("alert")).to_have_text("")


@both_widths
def test_a_tune_is_composed_tweaked_rewritten_and_kept(page: Page, tmp_path: Path) -> None:
    music = open_tab(page, "Music")
    music.get_by_label("Bars").fill("8")
    music.get_by_label("Seed", exact=True).fill("4")
    music.get_by_label("keep the seed").check()
    back = music.get_by_role("button", name="Back to this one")
    for number, (label, value) in enumerate(
        [("Meter", "6/8"), ("Temperature", "1"), ("Tempo", "90"), ("Instrument", "violin")], 1
    ):
        music.get_by_label(label).fill(value)
        music.get_by_role("button", name="Compose").click()
        expect(back).to_have_count(number)
    expect(music.locator(".score img")).to_be_visible()
    music.get_by_role("button", name="Set A").click()
    music.get_by_label("First bar to write again").fill("5")
    music.get_by_label("keep the seed").uncheck()
    music.get_by_role("button", name="Write again").click()
    expect(back).to_have_count(5)
    expect(music.locator(".facts").filter(has_text="from bar 5")).to_be_visible()
    music.get_by_role("button", name="Set B").click()
    pieces = []
    for name in ("b.mid", "a.mid"):
        with page.expect_download() as download:
            music.get_by_role("button", name="mid", exact=True).click()
        download.value.save_as(tmp_path / name)
        pieces.append(read_file(tmp_path / name).pieces[0])
        music.get_by_role("button", name="A / B").click()
    rewritten, before = pieces
    end = before.bars[4]
    assert [n[:3] for n in rewritten.notes if n.start < end] == [
        n[:3] for n in before.notes if n.start < end
    ]
    assert rewritten.notes != before.notes and before.tempo == 90
    music.get_by_role("button", name="Keep", exact=True).click()
    page.reload()
    music = open_tab(page, "Music")
    expect(music.get_by_role("list", name="Kept tunes").get_by_role("listitem")).to_have_count(1)
    music.get_by_role("button", name="Back to this one").click()
    for suffix, start in (("abc", b"%abc"), ("wav", b"RIFF"), ("musicxml", b"<?xml")):
        with page.expect_download() as download:
            music.get_by_role("button", name=suffix, exact=True).click()
        download.value.save_as(tmp_path / f"c.{suffix}")
        assert (tmp_path / f"c.{suffix}").read_bytes().startswith(start)
    music.get_by_role("button", name="Forget").click()
    expect(music.get_by_role("list", name="Kept tunes").get_by_role("listitem")).to_have_count(0)


def test_a_tune_is_played(page: Page) -> None:
    page.evaluate(
        "(() => { const start = AudioScheduledSourceNode.prototype.start; window.started = 0;"
        "AudioScheduledSourceNode.prototype.start = function (...times) {"
        "window.started++; window.audio = this.context; return start.apply(this, times); } })()"
    )
    music = open_tab(page, "Music")
    music.get_by_label("Bars").fill("4")
    music.get_by_role("button", name="Compose").click()
    music.get_by_label("loop").check()
    music.get_by_label("Speed").fill("2")
    music.get_by_role("button", name="Play", exact=True).click()
    expect(music.get_by_role("button", name="Pause")).to_be_visible()
    page.evaluate("""async () => {
      while (window.started < 5 || window.audio.state !== "running") {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }""")
    music.get_by_role("button", name="Stop").click()
    expect(music.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_a_tune_begins_with_typed_clicked_and_dropped_notes(page: Page, tmp_path: Path) -> None:
    music = open_tab(page, "Music")
    music.get_by_label("Bars").fill("2")
    for name in ("C4", "D4"):
        music.get_by_role("button", name=name, exact=True).click()
    assert music.get_by_label("Beginning").input_value() == "C4/8 D4/8"
    music.get_by_role("button", name="Compose").click()
    expect(music.get_by_role("button", name="Back to this one")).to_have_count(1)
    with page.expect_download() as download:
        music.get_by_role("button", name="mid", exact=True).click()
    path = tmp_path / "first.mid"
    download.value.save_as(path)
    notes = read_file(path).pieces[0].notes
    assert [note.pitch for note in notes[:2]] == [60, 62]
    music.locator("input[type=file]").set_input_files(path)
    expect(music.locator(".facts").filter(has_text="begins with first.mid")).to_be_visible()
    (tmp_path / "none.mid").write_bytes(b"RIFF")
    music.locator("input[type=file]").set_input_files(tmp_path / "none.mid")
    expect(page.get_by_role("alert")).to_contain_text("none.mid is no MIDI file")


def test_models_are_added_and_damaged_ones_named(page: Page, tmp_path: Path) -> None:
    library = page.get_by_role("region", name="Library")
    expect(library.locator(".bad")).to_contain_text("expected a .keras file")
    path = tmp_path / "<b>bold<b>.keras"
    shutil.copy(Path(__file__).parents[1] / "saved" / "text-0.1.keras", path)
    library.locator("input[type=file]").set_input_files(path)
    expect(library.get_by_role("heading", name="<b>bold<b>")).to_be_visible()
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"no")
    library.locator("input[type=file]").set_input_files(broken)
    expect(page.get_by_role("alert")).to_contain_text("broken.keras: expected a .keras file")


def test_a_model_is_trained_from_the_page(page: Page) -> None:
    training = open_tab(page, "Training")
    training.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("expected either files or a text")
    training.get_by_label("Name").fill("from the page")
    training.get_by_label("Minutes").fill("30")
    training.get_by_label("or paste a text").fill(SENTENCE * 200)
    training.get_by_role("button", name="Train", exact=True).click()
    expect(training.locator(".facts").filter(has_text="left, training")).to_be_visible()
    page.reload()  # the run does not depend on the page
    training = open_tab(page, "Training")
    expect(training.locator(".facts").filter(has_text="left, training")).to_be_visible()
    training.get_by_role("button", name="Stop and keep").click()
    expect(
        training.locator(".facts").filter(has_text="saved as from the page.keras")
    ).to_be_visible()
    text = open_tab(page, "Text")
    text.get_by_label("Model").select_option("from the page")
    text.get_by_role("button", name="Write").click()
    expect(text.locator("[data-at='0']")).to_be_attached()


def test_the_page_says_when_the_studio_has_ended(browser: Browser, model_folder: Path) -> None:
    with studio(model_folder) as (address, process):
        page = browser.new_page()
        page.goto(address)
        text = open_tab(page, "Text")
        expect(text.get_by_label("Model")).to_have_value("words")
        process.terminate()
        process.wait()
        text.get_by_role("button", name="Write").click()
        expect(page.get_by_role("alert")).to_contain_text("the studio does not answer")
        page.close()


def test_a_token_in_the_address_is_used_and_hidden(browser: Browser, model_folder: Path) -> None:
    with studio(model_folder, "--token", "open sesame") as (address, _):
        assert address.endswith("#token=open%20sesame")
        page = browser.new_page()
        page.goto(address)
        expect(page.get_by_role("heading", name="words")).to_be_visible()
        assert "token" not in page.url
        page.close()


def test_labels_and_pictures(browser: Browser, classifier: Path, striped: Path) -> None:
    with studio(classifier, striped) as (address, _):
        page = browser.new_page()
        page.goto(address)
        labels = open_tab(page, "Labels")
        expect(labels.get_by_label("Model")).to_have_value("labels")
        labels.get_by_label("Text", exact=True).fill(f"good {SCRIPT}")
        expect(labels.get_by_role("heading", level=3).first).to_have_text(
            re.compile("positive|negative")
        )
        expect(labels.locator(".text span").first).to_be_visible()
        images = open_tab(page, "Images")
        images.get_by_label("Pictures").fill("3")
        images.get_by_role("button", name="Draw").click()
        expect(images.get_by_role("img", name="Picture")).to_have_count(3)
        box = images.get_by_label("Pad to draw").bounding_box()
        assert box
        page.mouse.move(box["x"] + 20, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + 90, box["y"] + 30)
        page.mouse.up()
        with page.expect_request("**/api/pictures") as request:
            images.get_by_role("button", name="Draw").click()
        assert request.value.post_data_json["primer"]
        response = request.value.response()
        assert response and response.ok
        expect(images.get_by_role("img", name="Picture")).to_have_count(3)
        page.close()


@both_widths
def test_the_reference_of_the_api_is_shown(page: Page, address: str) -> None:
    page.goto(f"{address}docs")
    expect(page.get_by_role("heading", name="POST /v1/completions")).to_be_visible()

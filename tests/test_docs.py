"""The documentation site builds, and its pages agree with the code and with each other."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import seqgen
from tests.conftest import require

ROOT = Path(__file__).parent.parent
CI_RUN = ROOT / ".ci" / "run"
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require(importlib.util.find_spec("mkdocs"), "needs MkDocs: pip install 'seqgen[docs]'")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_built(site: Path) -> None:
    for page in DOCS.glob("*.md"):
        assert (site / f"{page.stem}.html").exists(), page.name


def test_no_page_requests_another_host(site: Path) -> None:
    for page in site.glob("*.html"):
        html = page.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img|iframe|source)[^>]* src="?(?:https?:)?//', html)
        assert not re.findall(r'<link[^>]* rel="?(?:stylesheet|preload|preconnect)[^>]*//', html)
        assert 'class="mermaid"' not in html
        assert "data-md-component=source" not in html and 'data-md-component="source"' not in html
    for style in site.rglob("*.css"):
        assert not re.findall(r"url\([\"']?(?:https?:)?//", style.read_text(encoding="utf-8"))


def test_the_reference_has_the_docstrings(site: Path) -> None:
    html = (site / "api.html").read_text(encoding="utf-8")
    for name in seqgen.__all__:
        assert f'id="seqgen.{name}"' in html, name
    assert "Units of each recurrent layer" in html  # the comment of a field
    assert "&gt;&gt;&gt;" in html and "<blockquote>" not in html  # doctests are code


def test_every_public_name_is_in_the_reference() -> None:
    documented = re.findall(r"^::: seqgen\.(\w+)$", (DOCS / "api.md").read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(seqgen.__all__)


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    for page in DOCS.glob("*.md"):
        assert f": {page.name}\n" in navigation, page.name


@pytest.mark.parametrize("diagram", ["training-run.svg", "generation-run.svg"])
def test_the_modules_of_a_diagram_exist(diagram: str) -> None:
    names = re.findall(r'class="m"[^>]*>([\w.]+)<', (DOCS / "images" / diagram).read_text())
    assert len(names) > 5
    for name in names:
        path = ROOT / "seqgen" / name.replace(".", "/")
        inside = ROOT / "seqgen" / "training" / f"{name}.py"
        is_attribute = name in ("Engine.step", "Task.generator", "Task.write", "model.load")
        assert path.with_suffix(".py").exists() or path.is_dir() or inside.exists() or is_attribute


def test_the_workflow_and_the_hooks_are_valid() -> None:
    require(importlib.util.find_spec("yaml"), "needs PyYAML: pip install 'seqgen[docs]'")
    import yaml

    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    makefile = (ROOT / "Makefile").read_text()
    assert workflow["jobs"]["tests"]["strategy"]["matrix"]["python"] == ["3.10", "3.12", "3.13"]
    for name, job in workflow["jobs"].items():
        assert {"runs-on", "timeout-minutes", "steps"} <= job.keys(), name
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step), step
            for target in re.findall(r"\bmake ([\w-]+)", step.get("run", "")):
                assert f"\n{target}:" in makefile, target
        commands = "\n".join(step.get("run", "") for step in job["steps"])
        if re.search(r"\.ci/run|make test$", commands, re.MULTILINE):
            packages = re.search(r"^packages=\((.*)\)$", CI_RUN.read_text(), re.MULTILINE)
            assert packages and f"apt-get install --yes {packages[1]}\n" in commands, name
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"
    assert {hook["id"] for hook in local["hooks"]} >= {"ruff-check", "mypy", "clang-format"}

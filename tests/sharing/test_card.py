"""Model cards: what programs read, and what people read."""

import dataclasses
import json
import shutil
from pathlib import Path

from seqgen import model as library
from seqgen.model import Model
from seqgen.sharing.card import Card
from tests.conftest import SENTENCE, Run

SAVED = Path(__file__).parent.parent / "saved"


def front_matter(text: str) -> dict[str, object]:
    """The YAML, of which every value is JSON."""
    assert text.startswith("---\n")
    lines = text.split("---\n", 2)[1].splitlines()
    return {key: json.loads(value) for key, _, value in (line.partition(": ") for line in lines)}


def test_a_card_has_the_scores_beside_the_baseline(tmp_path: Path, seqgen: Run) -> None:
    shutil.copy(SAVED / "text-0.1.keras", tmp_path / "book.keras")
    (tmp_path / "book.txt").write_text(SENTENCE * 200)
    done = seqgen("card", "book.keras", "-o", "README.md", "--license", "mit", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "README.md\n"), done.stderr
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    metadata = front_matter(text)
    assert (metadata["library_name"], metadata["license"]) == ("keras", "mit")
    (entry,) = metadata["model-index"]
    metrics = {m["type"]: m["value"] for m in entry["results"][0]["metrics"]}
    data = library.load(tmp_path / "book.keras").data
    assert abs(metrics["bits_per_token"] - data.scores["bits_per_token"]) < 0.01
    assert "| bits per token | " in text and "-gram |" in text.replace("\\", "")
    assert data.corpus["sha256"] in text and "batch size 8, window 32" in text
    assert text.count("\n## Samples\n") == 1 and "the dog does not mind" in text


def test_without_the_corpus_the_score_of_training_is_given(tmp_path: Path, seqgen: Run) -> None:
    done = seqgen("card", SAVED / "music-0.1.keras", "--samples", 1, cwd=tmp_path)
    assert done.returncode == 0
    assert "no scores beside a baseline: the training corpus of the model is" in done.stderr
    assert "licence is unknown" in done.stderr
    metadata = front_matter(done.stdout)
    assert metadata["license"] == "unknown" and metadata["tags"] == ["seqgen", "music", "lstm"]
    assert "K:" in done.stdout.partition("## Samples")[2]  # a tune in ABC


def test_names_and_samples_are_only_text() -> None:
    data = library.load(SAVED / "text-0.1.keras").data
    corpus = {**data.corpus, "name": "<script>*a*\"\u2028': - x"}
    model = Model(dataclasses.replace(data, corpus=corpus))
    text = Card("m.keras", samples=["```\n# no heading"]).text(model)
    assert (
        front_matter(text)["model-index"][0]["results"][0]["dataset"]["name"]
        == "<script>*a*\"\\u2028': - x"
    )
    assert "\n````text\n```\n# no heading\n````\n" in text
    body = text.split("---\n", 2)[2]
    outside = body.split("```text")[0]
    assert "\\<script\\>\\*a\\*" in outside

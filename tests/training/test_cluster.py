"""The cluster that TF_CONFIG describes."""

import json
from typing import Any

import pytest

from seqgen.errors import ConfigError
from seqgen.training import cluster

TWO = ["127.0.0.1:1", "127.0.0.1:2"]


def config(machines: dict[str, list[str]], kind: str, index: int) -> str:
    return json.dumps({"cluster": machines, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", (0, 1)),
        (config({"worker": TWO}, "worker", 0), (0, 2)),
        (config({"worker": TWO}, "worker", 1), (1, 2)),
        (config({"chief": TWO[:1], "worker": TWO[1:]}, "chief", 0), (0, 2)),
        (config({"chief": TWO[:1], "worker": TWO[1:]}, "worker", 0), (1, 2)),
        (config({"worker": TWO[:1]}, "worker", 0), (0, 1)),
    ],
)
def test_the_chief_is_the_first(
    text: str, place: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    assert cluster.rank_and_size() == place
    assert cluster.is_chief() == (place[0] == 0)
    assert cluster.machine_count() == place[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("two machines", "expected something like .* got 'two machines'"),
        ('{"task": {"type": "worker", "index": 0}}', "expected something like"),
        ("[]", "expected something like"),
        ("[" * 100_000, "expected something like"),
        (config({"worker": TWO}, "worker", 2), "the task worker 2 is not in the cluster"),
        (config({"worker": TWO, "ps": TWO}, "worker", 0), "at most one chief, got worker, ps"),
        (config({"chief": TWO}, "chief", 0), "at most one chief"),
        (
            config({"worker": ["127.0.0.1", "b:2"]}, "worker", 0),
            "host:port for each machine, got '127.0.0.1'",
        ),
        (
            config({"worker": ["a:1", "b:65536"]}, "worker", 0),
            "host:port for each machine, got 'b:65536'",
        ),
        (
            config({"worker": ["a:1", "a:1"]}, "worker", 0),
            "a different host:port for each machine, got 'a:1'",
        ),
        ('{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}', "got 'a'"),
        ('{"cluster": {"worker": [1]}, "task": {"type": "worker", "index": 0}}', "got 1"),
    ],
)
def test_an_invalid_cluster_is_an_error(
    text: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ConfigError, match=f"^TF_CONFIG: .*{message}"):
        cluster.rank_and_size()

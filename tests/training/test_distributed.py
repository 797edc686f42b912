"""Several machines, simulated by processes that communicate over 127.0.0.1, and several devices,
simulated by parts of the processor."""

import json
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seqgen import model_file
from seqgen.training import distributed, rendezvous
from tests.conftest import PATIENCE, Run

TRAIN = """
import sys
from contextlib import nullcontext
import numpy as np
from seqgen.network.backend import tf
from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.training.loop import train
from seqgen.training.setup import RunSetup
from seqgen.vocabulary import Vocabulary
scopes = {"weights.npz": nullcontext()}
if sys.argv[1:] == ["devices"]:
    parts = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
    scopes["mirrored.npz"] = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope()
ids = np.random.default_rng(0).integers(0, 8, 5000)
corpus = Corpus("c", "text", Vocabulary(tuple("abcdefgh")), ids)
config = TrainConfig(epochs=0.5, batch_size=8, window=16, weight_decay=0.1, clip_norm=0.05)
for name, scope in scopes.items():
    with scope:
        result = train(RunSetup(corpus, ModelConfig(units=16), config))
    np.savez(name, *result.weights)
"""
# Imports TensorFlow without running it, and forks every machine: that saves seconds.
FORKS = """
import json, os, sys
import seqgen.training.loop
code, children = sys.argv[1], []
for folder, variables, arguments in json.loads(sys.argv[2]):
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        os.environ |= variables
        sys.argv = ["-c", *arguments]
        with open(folder + ".output", "w") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        exec(code)
        sys.exit()
    children.append(child)
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""
RESUMED = "from seqgen.__main__ import main; main()"
# Writes a checkpoint after every step; at one of them the second machine is killed.
KILLED = """
import os, signal
from seqgen.__main__ import main
from seqgen.training import checkpointer
from seqgen.training.cluster import is_chief
save = checkpointer.Checkpointer.save
def save_or_die(self, state):
    if state.step == 10 and not is_chief():
        os.kill(os.getpid(), signal.SIGKILL)
    save(self, state)
checkpointer.Checkpointer.save = save_or_die
checkpointer.SECONDS_BETWEEN = 0.0
main()
"""


def run(code: str, *arguments: object, folders: list[Path], alone: Path | None = None) -> list[int]:
    """Run code on machines that form a cluster, and return their exit statuses.

    Args:
        code: a program.
        arguments: of the program.
        folders: the working folders of the machines; each writes `NAME.output` beside it.
        alone: the working folder of one more process, with two devices and without a cluster.
    """
    ports = []
    for _ in folders:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    machines = [f"127.0.0.1:{port}" for port in ports]
    runs: list[object] = [(str(alone), {}, ["devices"])] if alone else []
    for index, folder in enumerate(folders):
        folder.mkdir(exist_ok=True)
        config = {"cluster": {"worker": machines}, "task": {"type": "worker", "index": index}}
        runs.append((str(folder), {"TF_CONFIG": json.dumps(config)}, list(map(str, arguments))))
    done = subprocess.run(
        [sys.executable, "-c", FORKS, code, json.dumps(runs)],
        stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def messages(folder: Path) -> str:
    """What a machine said."""
    return Path(f"{folder}.output").read_text()


def trained(folder: Path, name: str) -> list[np.ndarray]:
    with np.load(folder / name) as file:
        return [file[member] for member in file.files]


def test_machines_and_devices_give_the_weights_of_one(tmp_path: Path) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    statuses = run(TRAIN, folders=folders, alone=tmp_path)
    assert statuses == [0, 0, 0], [messages(folder) for folder in (tmp_path, *folders)]
    one, mirrored = trained(tmp_path, "weights.npz"), trained(tmp_path, "mirrored.npz")
    first, second = (trained(folder, "weights.npz") for folder in folders)
    for expected, *others, last in zip(one, mirrored, first, second, strict=True):
        assert (others[-1] == last).all()
        for array in others:
            np.testing.assert_allclose(array, expected, atol=1e-5)


def test_a_run_whose_worker_died_is_resumed(book: Path, tmp_path: Path, seqgen: Run) -> None:
    options = (
        *("train", book, "--epochs", 3, "--precision", "float32", "-o", "cut.keras"),
        *("--units", 32, "--embedding", 8, "--batch-size", 16, "--window", 16, "--dropout", 0),
        *("--learning-rate", 0.02),
    )
    folders = [tmp_path / "first", tmp_path / "second"]
    assert run(KILLED, *options, folders=folders) == [1, -signal.SIGKILL]
    error = messages(folders[0]).splitlines()[-1]
    assert error.startswith("Error: another machine of the run has ended")

    alone = tmp_path / "alone"
    shutil.copytree(folders[0], alone)
    statuses = run(RESUMED, *options, "--resume", folders=folders)
    assert statuses == [0, 0], [messages(folder) for folder in folders]
    assert seqgen(*options, "--resume", cwd=alone).returncode == 0
    assert not list(folders[1].iterdir())  # only the first one writes
    for folder in (folders[0], alone):
        scores = model_file.load(folder / "cut.keras").scores
        assert scores["tokens_seen"] >= 3 * 0.9 * len(book.read_text())
        assert scores["validation_loss"] < 0.5


def test_ctrl_c_ends_a_waiting_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    two = {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(two))
    met = []
    monkeypatch.setattr(rendezvous, "meet", lambda *place: met.append(place))
    monkeypatch.setattr(
        distributed.tf.distribute,
        "MultiWorkerMirroredStrategy",
        lambda: signal.getsignal(signal.SIGINT),
    )
    assert distributed._of_this_machine.__wrapped__() == signal.SIG_DFL
    assert met == [(0, ["a:1", "b:2"])]  # it waits there, where signals are received
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

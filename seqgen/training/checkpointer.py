"""Writes the checkpoints during a run, and restores a run from one."""

from __future__ import annotations

from seqgen.errors import OutputError
from seqgen.training import checkpoint, cluster
from seqgen.training.best_weights import are_finite
from seqgen.training.callbacks import Callback
from seqgen.training.setup import RunSetup
from seqgen.training.state import RunState
from seqgen.types import Json

SECONDS_BEFORE_FIRST = 10.0
SECONDS_BETWEEN = 60.0


class Checkpointer:
    """The checkpoint file of one run; only the chief of several machines writes it.

    Args:
        setup: the run, with the path of the file, or None to write no checkpoints.
        callback: receives messages.
    """

    def __init__(self, setup: RunSetup, callback: Callback) -> None:
        self.setup = setup
        self.callback = callback
        self.path = setup.checkpoint_path if cluster.is_chief() else None
        self.saved_at = setup.clock()
        self.has_saved = False

    @property
    def is_due(self) -> bool:
        """Whether the last checkpoint, or the start of the run, is long enough ago."""
        wait = SECONDS_BETWEEN if self.has_saved else min(SECONDS_BEFORE_FIRST, SECONDS_BETWEEN)
        return self.setup.clock() - self.saved_at >= wait

    def _facts(self) -> Json:
        """What a run must have in common with the one whose checkpoint it resumes."""
        corpus = self.setup.corpus
        facts = corpus.metadata()
        del facts["arguments"]  # the path of the corpus may differ
        return {
            "model_config": self.setup.model_config.to_json(),
            "train_config": self.setup.train_config.to_json(),
            "corpus_options": {**facts.pop("options"), **facts.pop("split")},
            "corpus": {**facts, "vocabulary": corpus.vocabulary.to_json()},
        }

    def put_aside(self) -> None:
        """Rename the checkpoint that another run left at the path of this one."""
        if self.path and (renamed := checkpoint.put_aside(self.path)):
            self.callback.on_message(
                f"an interrupted run left {self.path}; it is renamed to {renamed}"
            )

    def save(self, state: RunState) -> None:
        """Write a checkpoint, unless weights are not finite; a full disk does not end the run."""
        self.saved_at = self.setup.clock()
        self.has_saved = True
        if self.path is None or not are_finite(state.network.get_weights()):
            return
        setup = {name: getattr(self.setup, name) for name in ("base", "chosen")}
        place = {**state.state_dict(), **setup, "fixed": sorted(self.setup.fixed)}
        try:
            checkpoint.save(self.path, {**self._facts(), "place": place}, state.arrays())
        except OutputError as error:
            self.callback.on_message(f"no checkpoint: {error}")

    def restore(self, state: RunState) -> None:
        """Bring `state` to where `setup.resumed` left it.

        Raises:
            CheckpointError: it is damaged, or belongs to another run; the differences are named.
        """
        resumed, path = self.setup.resumed, self.setup.checkpoint_path
        assert resumed and path
        with checkpoint.translate_errors(path):
            checkpoint.require_same(path, resumed.facts, self._facts())
            state.load_state_dict(resumed.facts["place"], resumed.arrays)

"""What the task uses of a `seqgen.Model`, which belongs to a higher layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from seqgen.inference.engine import Engine
    from seqgen.model_file import ModelData
    from seqgen.tasks.base import Task
    from seqgen.tasks.music.generate import Composition


class MusicModel(Protocol):
    """A model of music."""

    data: ModelData

    @property
    def engine(self) -> Engine: ...

    @property
    def task(self) -> Task: ...

    def pieces(self, count: int = 1, **options: Any) -> Iterator[Composition]: ...

"""Examples as they are read from files: texts or series of numbers, and their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Series: TypeAlias = npt.NDArray[np.float64]  # (T, D); NaN where a value is missing
Content: TypeAlias = "str | Series"


@dataclass
class Examples:
    """Texts or series, and the label of every one.

    >>> examples = Examples()
    >>> examples.add("good", "positive")
    >>> examples.add(" ", "positive")
    >>> len(examples), dict(examples.skipped)
    (1, {'an empty text': 1})
    """

    contents: list[Content] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)  # None: not known
    skipped: Counter[str] = field(default_factory=Counter)  # reason → number of rows

    def __len__(self) -> int:
        return len(self.contents)

    def add(self, content: Content, label: str | None) -> None:
        """Add an example, or count why it cannot be used."""
        label = None if label is None else label.strip()
        reason = self._fault(content)
        if reason or label == "":
            self.skipped[reason or "no label"] += 1
        else:
            self.contents.append(content.strip() if isinstance(content, str) else content)
            self.labels.append(label)

    def _fault(self, content: Content) -> str:
        if isinstance(content, str):
            if content.strip():
                return "a text among series" if self.has_series else ""
            return "an empty text"
        if self.contents and not self.has_series:
            return "a series among texts"
        if not len(content) or np.isnan(content).all():
            return "a series without numbers"
        if np.isinf(content).any():
            return "an infinite number"
        channels = content.shape[1]
        expected = self.channels or channels
        if channels != expected:
            return f"a series with {channels} instead of {expected} channels"
        return ""

    @property
    def has_series(self) -> bool:
        """Whether the contents are series; False if there are none."""
        return bool(self.contents) and not isinstance(self.contents[0], str)

    @property
    def channels(self) -> int:
        """The number of columns of the series; 0 if there are none."""
        first = self.contents[0] if self.contents else ""
        return 0 if isinstance(first, str) else first.shape[1]

    def extend(self, other: Examples) -> None:
        """Add all examples of another collection."""
        for content, label in zip(other.contents, other.labels, strict=True):
            self.add(content, label)
        self.skipped += other.skipped

    def subset(self, indices: Iterable[int]) -> Examples:
        """The examples of some indices, in that order."""
        chosen = [(self.contents[i], self.labels[i]) for i in indices]
        return Examples([content for content, _ in chosen], [label for _, label in chosen])

    def messages(self) -> list[str]:
        """How many rows cannot be used, and why; no lines if all can."""
        if not self.skipped:
            return []
        reasons = ", ".join(f"{count:,} with {reason}" for reason, count in self.skipped.items())
        total = self.skipped.total() + len(self)
        return [f"skipped {self.skipped.total():,} of {total:,} rows: {reasons}"]

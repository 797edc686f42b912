"""The spines of a Humdrum file: which field of a line continues which field of the line before."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from seqgen.errors import MusicError

MOST_SPINES = 1000


@dataclass
class Spine:
    """A column of a file, or one of the columns into which it was split.

    Args:
        root: the number of the column before it was split.
        kind: what it holds, such as `**kern`.
        end: where its last note or rest ends, in quarters.
    """

    root: int
    kind: str = ""
    end: Fraction = Fraction(0)


class Spines:
    """The spines of the line that is read.

    >>> spines = Spines()
    >>> for line in ("**kern **text", "*^ *", "* *^ *", "*v *v *v *"):
    ...     spines.follow(line.split())
    >>> [(spine.root, spine.kind) for spine in spines.now]
    [(0, '**kern'), (1, '**text')]
    """

    def __init__(self) -> None:
        self.now: list[Spine] = []
        self._roots = 0

    def follow(self, fields: list[str]) -> None:
        """Apply a line of interpretations: splits, joins, exchanges, ends and kinds of spines.

        Raises:
            MusicError: the line contradicts itself.
        """
        if not self.now:
            self.now = [self._new() for _ in fields]
        after: list[Spine] = []
        joined: Spine | None = None  # what the joins just before this field make
        exchanged: int | None = None  # where the first of two exchanged spines is
        for field, spine in zip(fields, self.now, strict=True):
            if field == "*v" and joined is not None and joined.root == spine.root:
                joined.end = max(joined.end, spine.end)
                continue
            joined = spine if field == "*v" else None
            if field == "*-":
                continue
            if field.startswith("**"):
                spine.kind = field
            after.append(spine)
            if field == "*^":
                after.append(Spine(spine.root, spine.kind, spine.end))
            elif field == "*+":
                after.append(self._new())
            elif field == "*x":
                if exchanged is None:
                    exchanged = len(after) - 1
                else:
                    after[exchanged], after[-1] = after[-1], after[exchanged]
                    exchanged = None
        if len(after) > MOST_SPINES:
            raise MusicError(f"has more than {MOST_SPINES:,} spines")
        self.now = after

    def _new(self) -> Spine:
        self._roots += 1
        return Spine(self._roots - 1)

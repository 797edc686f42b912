"""MusicXML for tests: notes, measures and scores."""

from seqgen.music.io.read import read
from seqgen.music.io.result import ReadResult
from seqgen.music.piece import Piece

FIRST = (
    "<attributes><divisions>2</divisions><key><fifths>0</fifths></key>"
    "<time><beats>2</beats><beat-type>4</beat-type></time></attributes>"
)


def note(name: str, duration: int = 2, extra: str = "") -> str:
    """A note such as C5 or F#5, or r; `extra` comes before the pitch, or after the duration."""
    pitch = "<rest/>"
    if name != "r":
        alter = f"<alter>{name.count('#') - name.count('b')}</alter>"
        pitch = f"<pitch><step>{name[0]}</step>{alter}<octave>{name[-1]}</octave></pitch>"
    before, after = (extra, "") if extra.startswith(("<chord", "<grace", "<cue")) else ("", extra)
    length = "" if extra.startswith("<grace") else f"<duration>{duration}</duration>"
    return f"<note>{before}{pitch}{length}{after}</note>"


def score(*parts: list[str], instruments: str = "", first: str = FIRST) -> str:
    """A score of parts, each a list of the contents of its measures."""
    listed = "".join(
        f'<score-part id="P{i}"><part-name>{i}</part-name>{instruments}</score-part>'
        for i in range(len(parts))
    )
    written = ""
    for i, measures in enumerate(parts):
        contents = [first + measures[0], *measures[1:]]
        bars = "".join(f'<measure number="1">{content}</measure>' for content in contents)
        written += f'<part id="P{i}">{bars}</part>'
    return f"<score-partwise><part-list>{listed}</part-list>{written}</score-partwise>"


def result(text: str, *, expand_repeats: bool = False) -> ReadResult:
    """The result of reading a score."""
    return read("score.musicxml", text.encode(), expand_repeats=expand_repeats)


def piece(text: str, *, expand_repeats: bool = False) -> Piece:
    """The only piece of a score."""
    (found,) = result(text, expand_repeats=expand_repeats).pieces
    return found


def notes(*parts: list[str]) -> list[tuple[int, int, int]]:
    """The start, duration and pitch of every note of parts."""
    return [each[:3] for each in piece(score(*parts)).notes]


TIE, STOP = '<tie type="start"/>', '<tie type="stop"/>'
BACK = "<backup><duration>4</duration></backup>"


def repeat(direction: str, more: str = "") -> str:
    return f'<barline><repeat direction="{direction}"{more}/></barline>'


def ending(number: str, kind: str) -> str:
    return f'<barline><ending number="{number}" type="{kind}"/></barline>'


def style(content: str, staff: str = "") -> str:
    return f"<attributes><measure-style{staff}>{content}</measure-style></attributes>"

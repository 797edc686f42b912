"""Scores: ABC, Humdrum, MusicXML and MEI, damaged, or made to take all time and memory."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator

from seqgen.errors import MusicError
from seqgen.music.io.midi_writer import midi_bytes
from seqgen.music.io.read import read
from seqgen.music.io.result import from_json, to_json
from seqgen.music.tokens.codec import choose_codec
from tests.fuzz.mutate import NUMBERS, mutated

SEPARATOR = "|"  # between the name of a file and its content

ABC = """%abc-2.1
X:1
T:A tune
M:6/8
L:1/8
Q:3/8=60
K:Ador
V:1
|:"Am"A2e {g}e>dB|(3ABc d2-|[1 d2 [Ace]3 z:|[2 d6|]
[K:G] [M:4/4] [L:1/16] C>D E<F !trill!G2 Z2|
V:2
A,6|z6|x6|
w:la la
"""
HUMDRUM = """**kern\t**kern\t**dynam
*part2\t*part1\t*
*M3/4\t*M3/4\t*
*k[f#]\t*k[f#]\t*
*MM96\t*MM96\t*
=1\t=1\t=1
4G\t8b 8dd\tf
.\t8cc\t.
*\t*^\t*
2G;\t4b\t[4d\t.
.\t4a\t4d]\t.
*\t*v\t*v\t*
=2:|!\t=2:|!\t=2:|!
[2.GG\tqbb\t.
.\t2.r\t.
==\t==\t==
*-\t*-\t*-
"""
MUSICXML = """<?xml version="1.0" encoding="UTF-8"?>
<score-partwise version="4.0"><work><work-title>A</work-title></work>
<part-list><score-part id="P1"><part-name>Clarinet</part-name>
<midi-instrument id="P1-I1"><midi-channel>1</midi-channel><midi-program>72</midi-program>
</midi-instrument></score-part></part-list>
<part id="P1"><measure number="1"><attributes><divisions>2</divisions>
<key><fifths>2</fifths><mode>major</mode></key><time><beats>4</beats><beat-type>4</beat-type></time>
<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose></attributes>
<direction><sound tempo="90"/></direction><barline><repeat direction="forward"/></barline>
<note><pitch><step>C</step><alter>1</alter><octave>4</octave></pitch><duration>4</duration>
<tie type="start"/><voice>1</voice></note>
<note><chord/><pitch><step>E</step><octave>4</octave></pitch><duration>4</duration></note>
<backup><duration>2</duration></backup><note><rest/><duration>2</duration></note>
<forward><duration>4</duration></forward></measure>
<measure number="2"><note><grace/><pitch><step>D</step><octave>5</octave></pitch></note>
<note><pitch><step>C</step><alter>1</alter><octave>4</octave></pitch><duration>8</duration>
<tie type="stop"/><time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes>
</time-modification></note>
<barline location="right"><ending number="1" type="stop"/><repeat direction="backward" times="2"/>
</barline></measure></part></score-partwise>
"""
MEI = """<?xml version="1.0" encoding="UTF-8"?>
<mei xmlns="http://www.music-encoding.org/ns/mei"><music><body><mdiv><score>
<scoreDef key.sig="1s" meter.count="3" meter.unit="4"><staffGrp>
<staffDef n="1" lines="5" clef.shape="G" clef.line="2"/></staffGrp></scoreDef>
<section><measure n="1"><staff n="1"><layer n="1"><note dur="4" oct="4" pname="g"/>
<beam><note dur="8" oct="4" pname="a" dots="1"/><note dur="16" oct="4" pname="b"/></beam>
<chord dur="4"><note oct="5" pname="c"/><note oct="4" pname="e"/></chord></layer></staff></measure>
</section></score></mdiv></body></music></mei>
"""
FILES = {"a.abc": ABC, "a.krn": HUMDRUM, "a.musicxml": MUSICXML, "a.xml": MUSICXML}
WORDS = {
    "a.abc": (
        "|:", ":|", "|1", "[2", "(3", "(9:1:999999", "[CEG]", "{", "}", ">", "<<<", "-", "z99999",
        "Z999999999", "C999999999", "C/////////", "[M:1/999]", "[M:99999/4]", "[L:1/99999999]",
        "[K:Hp]", "[V:99]", "Q:1/4=1e9", "\nX:2\nK:C\n", "!", '"', "&", "$", "\\\n", "%%", "^^^",
        "_", "''''''''''''''", ",,,,,,,,,,,,,,", "P:A", "[P:B]", "m:~n2=n", "m:A=AAAAAAAA",
        "\nP:((((A9)9)9)9)9\n", "!D.C.!", "!D.S.alfine!", "!segno!", "!coda!", "!fine!", "!dacoda!",
        "U:H=.", "s:", "[r:", "::",
    ),
    "a.krn": (
        "*^", "*v", "*x", "*+", "*-", "**kern", "*>A", "*>[A,A,A,B]", "*>norep[A]", "=1", "==",
        "*M0/4", "*M99999/1", "*MM1e9", "1%99999999c", "0c", "00c", "4096...........c", "q", "[",
        "]", "_", ".", "!!LO:", "\t", "\t\t\t\t", "4c 4e 4g", "4cccccccccccc", "*k[f#f#f#]",
        "*ITr-9",
    ),
    "a.musicxml": (
        "<repeat direction='backward' times='1000000000'/>", "<divisions>0</divisions>",
        "<divisions>1000000007</divisions>", "<duration>1e9</duration>", "<chord/>", "<grace/>",
        "<duration>-5</duration>", "<duration>99999999999</duration>", "<beats>4+4</beats>",
        "<beat-type>0</beat-type>", "<octave>99999</octave>", "<alter>1e308</alter>",
        "<alter>nan</alter>", "<fifths>99999999</fifths>", "<sound tempo='nan'/>",
        "<sound tempo='1e400'/>", "<multiple-rest>1000000000</multiple-rest>",
        "<chromatic>99999</chromatic>", "<octave-change>inf</octave-change>", "&x;", "<![CDATA[",
        "<ending number='1,2,99999999' type='start'/>", "</measure>", "<measure number='1e9'>",
        "<sound dacapo='yes'/>", "<sound dalsegno='1'/>", "<sound segno='1'/>", "<sound coda='1'/>",
        "<sound tocoda='1'/>", "<sound fine='yes'/>", "<notehead>slash</notehead>", "<cue/>",
        "<attributes><measure-style><measure-repeat type='start'>1</measure-repeat></measure-style>"
        "</attributes>",
        "<attributes><measure-style><slash type='start'/></measure-style></attributes>",
        "<midi-program>0</midi-program>", "<normal-notes>0</normal-notes>", "<measure/>",
    ),
}  # fmt: skip
WORDS["a.xml"] = WORDS["a.musicxml"]


def cases(seed: int) -> Iterator[bytes]:
    """Scores as their name, a separator and their content."""
    draw = random.Random(seed)
    while True:
        kind = draw.random()
        if kind < 0.02:
            yield _named("a.mei", mutated(MEI.encode(), draw))
            continue
        if kind < 0.05:
            yield _bomb(draw)
            continue
        name = draw.choice(list(FILES))
        data = FILES[name].encode()
        if kind < 0.5:
            data = _with_words(data, name, draw)
        elif kind < 0.7:
            data = _with_numbers(data, draw)
        elif kind < 0.9:
            data = mutated(data, draw)
        if kind > 0.85:
            data = _encoded(data, draw)
        yield _named(name, data)


def run(case: bytes) -> None:
    """Read the score, with and without repeats; what is read can be stored, encoded and written."""
    name, _, data = case.partition(SEPARATOR.encode())
    for expand_repeats in (False, True):
        result = read(name.decode(), data, expand_repeats=expand_repeats)
        assert result.pieces or result.reason
        assert from_json(json.loads(json.dumps(to_json(result)))) == result
        for piece in result.pieces[:20]:  # of a file of thousands
            try:
                codec = choose_codec([piece])
                tokens = codec.encode(codec.restrict(piece))
            except MusicError:  # more voices than there are tokens for
                continue
            assert all(map(codec.knows, tokens)), tokens
            midi_bytes(piece)


def _named(name: str, data: bytes) -> bytes:
    return f"{name}{SEPARATOR}".encode() + data


def _with_words(data: bytes, name: str, draw: random.Random) -> bytes:
    """Words of the format are put at any place, or in place of a line."""
    for _ in range(draw.choice((1, 1, 2, 3, 8))):
        word = draw.choice(WORDS[name]).encode() * draw.choice((1, 1, 1, 3, 300))
        lines = data.split(b"\n")
        at = draw.randrange(len(lines))
        column = draw.randrange(len(lines[at]) + 1)
        lines[at] = draw.choice((word, lines[at][:column] + word + lines[at][column:]))
        data = b"\n".join(lines)
    return data


def _with_numbers(data: bytes, draw: random.Random) -> bytes:
    """Numbers are replaced by other ones."""
    places = [i for i, byte in enumerate(data) if 48 <= byte <= 57]
    for at in sorted(draw.sample(places, draw.choice((1, 1, 2, 5))), reverse=True):
        data = data[:at] + str(draw.choice(NUMBERS)).encode() + data[at + 1 :]
    return data


def _encoded(data: bytes, draw: random.Random) -> bytes:
    kind = draw.randrange(4)
    if kind == 0:
        return data.decode("utf-8", "replace").encode(
            draw.choice(("utf-16", "utf-32", "utf-8-sig"))
        )
    if kind == 1:
        return data.replace(b"\n", draw.choice((b"\r", b"\r\n", b"\n\n", b"")))
    if kind == 2:
        return _zipped({"score.xml": data})
    return data[: draw.randrange(len(data) + 1)]


def _zipped(members: dict[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return memory.getvalue()


def _bomb(draw: random.Random) -> bytes:
    """A small file that asks for much: entities, repeats, long notes, many parts or bars."""
    name, content = draw.choice(BOMBS)(draw)
    return _named(name, content)


def _xml(content: str) -> tuple[str, bytes]:
    return "a.xml", f"<score-partwise>{content}</score-partwise>".encode()


def _abc(tune: bytes) -> tuple[str, bytes]:
    return "a.abc", b"X:1\nK:C\n" + tune


def _humdrum(spines: str) -> tuple[str, bytes]:
    return "a.krn", f"**kern\n{spines}".encode()


def _external_entity(draw: random.Random) -> tuple[str, bytes]:
    doctype = "<!DOCTYPE s [<!ENTITY e SYSTEM 'file:///dev/zero'>]>"
    text = f"{doctype}<score-partwise>&e;</score-partwise>"
    return "a.musicxml", text.encode(draw.choice(("utf-8", "utf-16")))


MEASURE = (
    "<measure number='1'><note><pitch><step>C</step><octave>4</octave></pitch>"
    "<duration>4</duration></note></measure>"
)
REPEATED = (
    "<measure><attributes><measure-style><measure-repeat type='start'>1</measure-repeat>"
    "</measure-style></attributes></measure>"
)
ENTITIES = "".join(f"<!ENTITY e{i} '{f'&e{i - 1};' * 20}'>" for i in range(1, 12))
LAUGHS = f"<!DOCTYPE s [<!ENTITY e0 'x'>{ENTITIES}]><score-partwise>&e11;</score-partwise>"
BOMBS: tuple[Callable[[random.Random], tuple[str, bytes]], ...] = (
    lambda draw: ("a.xml", LAUGHS.encode()),
    _external_entity,
    lambda draw: ("a.mxl", _zipped({"a.xml": b"<!--" + bytes(draw.choice((10**6, 2 * 10**8)))})),
    lambda draw: _xml("".join(f"<part id='P{i}'>{MEASURE}</part>" for i in range(2000))),
    lambda draw: _xml(f"<part>{MEASURE * 20_000}</part>"),
    lambda draw: ("a.xml", b"<score-partwise>" + b"<a>" * 100_000),
    lambda draw: _abc(b"|:" * draw.choice((100, 50_000)) + b"C:|"),
    lambda draw: _abc(b"CDEF|" * 20_000),
    lambda draw: _abc(b"[CEGceg]" * 2000 + b"|" + b"!segno!C|!D.S.!D:|" * 5000),
    lambda draw: (
        "a.abc",
        b"X:1\nP:" + b"AB" * 40_000 + b"\nK:C\nP:A\n" + b"C|" * 999 + b"\nP:B\nD|",
    ),
    lambda draw: ("a.abc", b"X:1\nm:~n=" + b"no" * 500 + b"\nK:C\n" + b"~C" * 9999),
    lambda draw: _abc(b"m:A=B\nC\nm:B=A\nD\n" * 10_000),
    lambda draw: _xml(f"<part>{MEASURE}{REPEATED}{'<measure/>' * 50_000}</part>"),
    lambda draw: ("a.abc", b"X:1\nK:C\nC\n\n" * 20_000),
    lambda draw: _humdrum("*M2/4\n" + "".join(f"={i}\n4c\n4d\n" for i in range(5000)) + "*-\n"),
    lambda draw: _humdrum("\n".join("\t".join(["*^"] * 2**i) for i in range(14)) + "\n"),
    lambda draw: _humdrum(f"*>[{','.join('A' * 100_000)}]\n*>A\n4c\n4d\n*-\n"),
    lambda draw: _abc(b"%" + b"x" * draw.choice((10**6, 5 * 10**7)) + b"\nC|"),
)

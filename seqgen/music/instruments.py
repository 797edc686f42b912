"""The instruments of General MIDI, level 1, in the order of their programs."""

from __future__ import annotations

import difflib
import re
from typing import NamedTuple

from seqgen.errors import MusicError

FAMILIES = {
    "piano": "acoustic grand piano, bright acoustic piano, electric grand piano, "
    "honky-tonk piano, electric piano 1, electric piano 2, harpsichord, clavinet",
    "chromatic percussion": "celesta, glockenspiel, music box, vibraphone, marimba, xylophone, "
    "tubular bells, dulcimer",
    "organ": "drawbar organ, percussive organ, rock organ, church organ, reed organ, accordion, "
    "harmonica, tango accordion",
    "guitar": "nylon guitar, steel guitar, jazz guitar, clean guitar, muted guitar, "
    "overdriven guitar, distortion guitar, guitar harmonics",
    "bass": "acoustic bass, finger bass, pick bass, fretless bass, slap bass 1, slap bass 2, "
    "synth bass 1, synth bass 2",
    "strings": "violin, viola, cello, contrabass, tremolo strings, pizzicato strings, harp, "
    "timpani",
    "ensemble": "string ensemble 1, string ensemble 2, synth strings 1, synth strings 2, "
    "choir aahs, voice oohs, synth voice, orchestra hit",
    "brass": "trumpet, trombone, tuba, muted trumpet, french horn, brass section, "
    "synth brass 1, synth brass 2",
    "reed": "soprano sax, alto sax, tenor sax, baritone sax, oboe, english horn, bassoon, clarinet",
    "pipe": "piccolo, flute, recorder, pan flute, blown bottle, shakuhachi, whistle, ocarina",
    "synth lead": "square lead, sawtooth lead, calliope lead, chiff lead, charang lead, "
    "voice lead, fifths lead, bass and lead",
    "synth pad": "new age pad, warm pad, polysynth pad, choir pad, bowed pad, metallic pad, "
    "halo pad, sweep pad",
    "synth effects": "rain, soundtrack, crystal, atmosphere, brightness, goblins, echoes, sci-fi",
    "ethnic": "sitar, banjo, shamisen, koto, kalimba, bagpipe, fiddle, shanai",
    "percussive": "tinkle bell, agogo, steel drums, woodblock, taiko drum, melodic tom, "
    "synth drum, reverse cymbal",
    "sound effects": "guitar fret noise, breath noise, seashore, bird tweet, telephone ring, "
    "helicopter, applause, gunshot",
}
NAMES = tuple(name for family in FAMILIES.values() for name in family.split(", "))
SYNTHS = (("lead", "synth lead", 80), ("pad", "synth pad", 88), ("fx", "synth effects", 96))
OFFICIAL = {  # names of General MIDI that differ from those above in more than spaces and signs
    "clavi": 7,
    "acoustic guitar (nylon)": 24,
    "acoustic guitar (steel)": 25,
    "electric guitar (jazz)": 26,
    "electric guitar (clean)": 27,
    "electric guitar (muted)": 28,
    "electric bass (finger)": 33,
    "electric bass (pick)": 34,
    "orchestral harp": 46,
    **{
        f"{kind} {i + 1} ({name.removesuffix(f' {kind}')})": first + i
        for kind, family, first in SYNTHS
        for i, name in enumerate(FAMILIES[family].split(", "))
    },
    "lead 8 (bass + lead)": 87,
}
DRUMS = ("drums", "drum kit", "drum set", "percussion")
SIGNS = re.compile(r"[^a-z0-9]")


class Instrument(NamedTuple):
    """What plays a part."""

    program: int  # of General MIDI, 0 to 127
    is_drums: bool = False


def _plain(name: str) -> str:
    """
    >>> _plain("SynthStrings 1") == _plain("synth strings 1")
    True
    """
    return SIGNS.sub("", name.lower())


def instrument_of(text: str) -> Instrument:
    """Return the instrument that a text names.

    Args:
        text: a name of General MIDI, a part of a name, a number from 1, or `drums`.

    Raises:
        MusicError: there is no such instrument.

    >>> instrument_of("drums"), instrument_of("Pad 2 (warm)")
    (Instrument(program=0, is_drums=True), Instrument(program=89, is_drums=False))
    """
    is_drums = _plain(text) in map(_plain, DRUMS)
    return Instrument(0, True) if is_drums else Instrument(program_of(text))


def program_of(text: str) -> int:
    """Return the program, from 0, of an instrument with pitches.

    Args:
        text: a name of General MIDI, a part of a name, or a number from 1.

    Raises:
        MusicError: there is no such instrument.

    >>> program_of("violin"), program_of("41"), program_of("grand piano"), program_of("Lead 8")
    (40, 40, 0, 87)
    """
    wanted = text.strip().lower().replace("_", " ")
    if wanted.isascii() and wanted.isdigit():
        if len(wanted) <= 3 and 1 <= int(wanted) <= 128:
            return int(wanted) - 1
        raise MusicError(f"instrument: expected a number from 1 to 128, got {text}")
    programs = {name: i for i, name in enumerate(NAMES)} | OFFICIAL
    plain = _plain(wanted)
    for matches in (plain.__eq__, lambda name: plain and plain in name):
        for name, program in programs.items():
            if matches(_plain(name)):
                return program
    near = difflib.get_close_matches(wanted, programs, 3)
    hint = f"; did you mean {', '.join(near)}?" if near else ", such as violin, flute or piano"
    raise MusicError(
        f"instrument: expected a name of General MIDI or a number from 1 to 128, got {text!r}{hint}"
    )

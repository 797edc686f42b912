"""The instruments of General MIDI, level 1, in the order of their programs."""

from __future__ import annotations

import difflib

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


def program_of(text: str) -> int:
    """Return the program, from 0, of an instrument.

    Args:
        text: a name, a part of a name, or a number from 1.

    Raises:
        MusicError: there is no such instrument.

    >>> program_of("violin"), program_of("41"), program_of("grand piano")
    (40, 40, 0)
    """
    wanted = text.strip().lower().replace("_", " ")
    if wanted.isdigit():
        if 1 <= int(wanted) <= 128:
            return int(wanted) - 1
        raise MusicError(f"instrument: expected a number from 1 to 128, got {text}")
    if wanted in NAMES:
        return NAMES.index(wanted)
    found = [i for i, name in enumerate(NAMES) if wanted and wanted in name]
    if found:
        return found[0]
    near = difflib.get_close_matches(wanted, NAMES, 3)
    hint = f"; did you mean {', '.join(near)}?" if near else ", such as violin, flute or piano"
    raise MusicError(
        f"instrument: expected a name of General MIDI or a number from 1 to 128, got {text!r}{hint}"
    )

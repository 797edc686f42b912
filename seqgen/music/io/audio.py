"""A piece → sound: by FluidSynth where it and a sound font are on the machine, else by addition.

The small synthesiser adds up partials that die away, the higher the sooner, as a plucked string's
do; it needs nothing but NumPy.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seqgen.errors import OutputError
from seqgen.music.io.midi_writer import midi_bytes
from seqgen.music.piece import TICKS_PER_QUARTER, Note, Piece

RATE = 44_100  # samples per second
PARTIALS = 8
TAIL = 0.6  # seconds that the last note sounds on
END = TAIL / 3  # seconds that a note takes to end when it is let go
LONGEST = 3600  # seconds of a piece; an hour takes 0.6 GB of memory
DIED_AWAY = 12.0  # seconds: what is left of a tone by then cannot be heard
FADE = 0.01  # seconds in which a note begins and ends, lest it clicks
SOUND_FONTS = (
    "/usr/share/sounds/sf2",
    "/usr/share/sounds/sf3",
    "/usr/share/soundfonts",
    "/usr/local/share/soundfonts",
    "/opt/homebrew/share/soundfonts",
)

Samples = npt.NDArray[np.float32]


def wav(piece: Piece) -> bytes:
    """A WAV file, 16 bits, mono or what FluidSynth makes.

    Raises:
        OutputError: the piece lasts longer than an hour.

    >>> wav(Piece((), bars=(0,), length=24))[:4]
    b'RIFF'
    """
    length = _clock(piece)(piece.length)
    if length > LONGEST:
        raise OutputError(
            f"sound lasts at most {LONGEST // 60} minutes, got a piece of {length / 60:,.0f}; "
            "write fewer bars, or .mid"
        )
    font = _sound_font()
    program = shutil.which("fluidsynth")
    if font and program and (data := _by_fluidsynth(program, font, piece)):
        return data
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((synthesised(piece) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def _sound_font() -> Path | None:
    for folder in map(Path, SOUND_FONTS):
        for found in sorted(folder.glob("*.sf[23]")) if folder.is_dir() else ():
            return found
    return None


def _by_fluidsynth(program: str, font: Path, piece: Piece) -> bytes | None:
    with tempfile.TemporaryDirectory() as folder:
        midi, out = Path(folder) / "piece.mid", Path(folder) / "piece.wav"
        midi.write_bytes(midi_bytes(piece))
        command = [program, "-ni", "-q", "-r", str(RATE), "-F", str(out), str(font), str(midi)]
        done = subprocess.run(command, capture_output=True, check=False)
        return out.read_bytes() if done.returncode == 0 and out.exists() else None


def synthesised(piece: Piece) -> Samples:
    """The samples `(N,)`, from -1 to 1, by addition of partials.

    >>> from seqgen.music.pitch_names import piece_of
    >>> samples = synthesised(piece_of("A4/4"))
    >>> spectrum = np.abs(np.fft.rfft(samples))
    >>> round(float(np.argmax(spectrum) * RATE / len(samples)))  # hertz
    440
    """
    seconds = _clock(piece)
    sound = np.zeros(int((seconds(piece.length) + TAIL) * RATE) + 1, np.float32)
    for part in piece.parts:
        for pitch, group in groupby(sorted(part.notes, key=_pitch), key=_pitch):
            spans = [
                (int(seconds(note.start) * RATE), seconds(note.end) - seconds(note.start), note)
                for note in group
            ]
            whole = _drum(pitch) if part.is_drums else _tone(pitch, max(s[1] for s in spans))
            for start, length, note in spans:
                tone = whole if part.is_drums else _ended(whole, length)
                tone = tone[: len(sound) - start]
                sound[start : start + len(tone)] += tone * np.float32(note.velocity / 127)
    loudest = float(np.abs(sound).max(initial=0))
    return sound * np.float32(0.9 / loudest) if loudest > 0 else sound


def _clock(piece: Piece) -> Callable[[int], float]:
    """Ticks → seconds, through all changes of tempo."""
    changes = [(0, piece.tempo), *piece.tempi]
    ticks, seconds, rates = [], [], []
    now = 0.0
    for (tick, tempo), (after, _) in pairwise([*changes, (piece.length, 0.0)]):
        rate = 60 / tempo / TICKS_PER_QUARTER
        ticks.append(tick)
        seconds.append(now)
        rates.append(rate)
        now += (after - tick) * rate

    def clock(tick: int) -> float:
        i = int(np.searchsorted(ticks, tick, side="right")) - 1
        return float(seconds[i] + (tick - ticks[i]) * rates[i])

    return clock


def _pitch(note: Note) -> int:
    return note.pitch


def _tone(pitch: int, length: float) -> Samples:
    """A tone that is held so many seconds, and as long as its end takes; shorter ones are its
    beginning."""
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    t = np.arange(int((min(length, DIED_AWAY) + END) * RATE), dtype=np.float32) / RATE
    tone = np.zeros_like(t)
    for k in range(1, PARTIALS + 1):
        if frequency * k < RATE / 2:
            tone += np.exp(-t * (1.5 + 0.8 * k)) / k**1.5 * np.sin(2 * np.pi * frequency * k * t)
    return np.asarray(tone * np.minimum(t / FADE, 1), np.float32)


def _ended(tone: Samples, length: float) -> Samples:
    """The tone, let go after so many seconds."""
    samples = int((min(length, DIED_AWAY) + END) * RATE)
    ended: Samples = np.array(tone[:samples])
    end = int(END * RATE)
    ended[-end:] *= np.linspace(1, 0, end, dtype=np.float32)
    return ended


def _drum(pitch: int) -> Samples:
    """Noise: long and dark for low drums, short and bright for high ones."""
    length = 0.25 if pitch < 40 else 0.12
    t = np.arange(int(length * RATE), dtype=np.float32) / RATE
    noise = np.random.default_rng(pitch).standard_normal(len(t)).astype(np.float32)
    if pitch < 40:
        noise = 0.3 * noise + 3 * np.sin(2 * np.pi * 60 * t).astype(np.float32)
    return np.asarray(noise * np.exp(-t / length * 6) * 0.5, np.float32)

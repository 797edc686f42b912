"""A piece → a WAV file, by FluidSynth if it and a sound font are installed, else by NumPy.

The synthesiser in NumPy adds up decaying partials, like those of a plucked string. For a tone of
frequency f at the time t in seconds,

    tone(t) = sum over k = 1 … 8 of  exp(-t * (1.5 + 0.8 * k)) / k**1.5 * sin(2 * pi * k * f * t)
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
TAIL = 0.6  # seconds after the end of the piece
RELEASE = TAIL / 3  # seconds in which a note fades out after its end
MAX_SECONDS = 3600  # an hour takes 0.6 GB of memory
INAUDIBLE = 12.0  # seconds after which a tone cannot be heard any more
FADE_IN = 0.01  # seconds; without it notes would begin with a click
SOUND_FONTS = (
    "/usr/share/sounds/sf2",
    "/usr/share/sounds/sf3",
    "/usr/share/soundfonts",
    "/usr/local/share/soundfonts",
    "/opt/homebrew/share/soundfonts",
)

Samples = npt.NDArray[np.float32]


def wav(piece: Piece) -> bytes:
    """Return a WAV file: 16 bits, mono unless FluidSynth makes it.

    Raises:
        OutputError: the piece lasts longer than an hour.

    >>> wav(Piece((), bars=(0,), length=24))[:4]
    b'RIFF'
    """
    length = _clock(piece)(piece.length)
    if length > MAX_SECONDS:
        raise OutputError(
            f"sound lasts at most {MAX_SECONDS // 60} minutes, got a piece of {length / 60:,.0f}; "
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
    """Return samples `(N,)` from -1 to 1 at 44.1 kHz.

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
            longest = max(length for _, length, _ in spans)  # shorter notes are its beginning
            sample = _drum(pitch) if part.is_drums else _tone(pitch, longest)
            for start, length, note in spans:
                tone = sample if part.is_drums else _released(sample, length)
                tone = tone[: len(sound) - start]
                sound[start : start + len(tone)] += tone * np.float32(note.velocity / 127)
    loudest = float(np.abs(sound).max(initial=0))
    return sound * np.float32(0.9 / loudest) if loudest > 0 else sound


def _clock(piece: Piece) -> Callable[[int], float]:
    """Return a function from ticks to seconds that follows all changes of tempo."""
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
    """Return a tone of a length in seconds, followed by the time of its release."""
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    t = np.arange(int((min(length, INAUDIBLE) + RELEASE) * RATE), dtype=np.float32) / RATE
    tone = np.zeros_like(t)
    for k in range(1, PARTIALS + 1):
        if frequency * k < RATE / 2:
            tone += np.exp(-t * (1.5 + 0.8 * k)) / k**1.5 * np.sin(2 * np.pi * frequency * k * t)
    return np.asarray(tone * np.minimum(t / FADE_IN, 1), np.float32)


def _released(tone: Samples, length: float) -> Samples:
    """Return the beginning of a tone, which fades out after a length in seconds."""
    samples = int((min(length, INAUDIBLE) + RELEASE) * RATE)
    released: Samples = np.array(tone[:samples])
    end = int(RELEASE * RATE)
    released[-end:] *= np.linspace(1, 0, end, dtype=np.float32)
    return released


def _drum(pitch: int) -> Samples:
    """Return noise: long and dark for low drums, short and bright for high ones."""
    length = 0.25 if pitch < 40 else 0.12
    t = np.arange(int(length * RATE), dtype=np.float32) / RATE
    noise = np.random.default_rng(pitch).standard_normal(len(t)).astype(np.float32)
    if pitch < 40:
        noise = 0.3 * noise + 3 * np.sin(2 * np.pi * 60 * t).astype(np.float32)
    return np.asarray(noise * np.exp(-t / length * 6) * 0.5, np.float32)

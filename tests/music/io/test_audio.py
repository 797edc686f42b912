import io
import wave

import numpy as np
import pytest

from seqgen.errors import OutputError
from seqgen.music.io import audio
from seqgen.music.piece import Note, Part, Piece
from seqgen.music.pitch_names import piece_of


def loudness(samples: np.ndarray, second: float) -> float:
    """Return the highest amplitude in a twentieth of a second."""
    at = int(second * audio.RATE)
    return float(np.abs(samples[at : at + audio.RATE // 20]).max())


def test_notes_sound_when_and_as_high_as_they_should() -> None:
    samples = audio.synthesised(piece_of("A4/4 r/4 A5/4"))  # half a second each
    assert loudness(samples, 0.1) > 0.1 and loudness(samples, 1.1) > 0.1
    assert loudness(samples, 0.75) < 0.01
    for second, hertz in ((0, 440), (1, 880)):
        part = samples[int(second * audio.RATE) :][: audio.RATE // 2]
        spectrum = np.abs(np.fft.rfft(part))
        assert np.argmax(spectrum) * 2 == pytest.approx(hertz, abs=4)


def test_tempo_and_its_changes_are_kept() -> None:
    part = Part((Note(0, 6, 69), Note(96, 6, 69)))
    slow = Piece((part,), (0, 96), 192, tempi=((0, 60.0),))
    assert loudness(audio.synthesised(slow), 4.0) > 0.1
    faster = Piece((part,), (0, 96), 192, tempi=((0, 60.0), (48, 120.0)))
    samples = audio.synthesised(faster)
    assert loudness(samples, 3.0) > 0.1 and len(samples) == pytest.approx(audio.RATE * 5.6, abs=2)


def test_very_long_notes_cost_nothing_and_very_long_pieces_are_refused() -> None:
    hour = 24 * 2 * 60 * 59
    samples = audio.synthesised(Piece((Part((Note(0, hour, 69),)),), (0,), hour))
    assert loudness(samples, 0.1) > 0.1 and loudness(samples, 60) == 0
    with pytest.raises(OutputError, match="at most 60 minutes, got a piece of 118"):
        audio.wav(Piece((), (0,), 2 * hour))


def test_a_tone_is_made_once_for_all_notes_of_its_pitch(monkeypatch: pytest.MonkeyPatch) -> None:
    made, tone = [], audio._tone
    monkeypatch.setattr(audio, "_tone", lambda *each: made.append(each) or tone(*each))
    notes = (Note(0, 12, 60), Note(24, 48, 60), Note(24, 12, 64), Note(96, 6, 60))
    together = audio.synthesised(Piece((Part(notes),), (0,), 120))
    assert made == [(60, 1.0), (64, 0.25)]
    alone = audio.synthesised(Piece((Part(notes[:1]),), (0,), 120))
    beginning = slice(int(0.4 * audio.RATE))  # nothing else sounds yet
    ratio = np.abs(together[beginning]).max() / np.abs(alone).max()
    assert together[beginning] == pytest.approx(alone[beginning] * ratio, abs=1e-5)


def test_drums_sound() -> None:
    drums = Part((Note(0, 6, 36), Note(48, 6, 42)), is_drums=True)
    samples = audio.synthesised(Piece((drums,), (0,), 96))
    assert loudness(samples, 0) > 0.1 and loudness(samples, 1) > 0.05


def test_a_wav_file_that_others_read() -> None:
    with wave.open(io.BytesIO(audio.wav(piece_of("A4/4")))) as file:
        assert file.getframerate() == 44_100
        assert file.getnframes() / 44_100 > 0.5


def test_fluidsynth_is_asked_where_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A program of that name that writes what it was called with."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "font.sf2").write_bytes(b"")
    program = folder / "fluidsynth"
    program.write_text('#!/bin/sh\necho "$@" > "$6"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setattr(audio, "SOUND_FONTS", (str(folder),))
    said = audio.wav(piece_of("A4/4")).decode()
    assert said.startswith("-ni -q -r 44100 -F ") and "font.sf2" in said
    program.write_text("#!/bin/sh\nexit 1\n")
    assert audio.wav(piece_of("A4/4")).startswith(b"RIFF")

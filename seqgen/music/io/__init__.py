"""Readers and writers of music: MIDI, scores, audio and images."""

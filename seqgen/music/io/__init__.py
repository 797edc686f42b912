"""Reading and writing music: MIDI, scores, sound and pictures."""

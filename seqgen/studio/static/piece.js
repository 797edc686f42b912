// Pieces as the server sends them: times in ticks, four numbers for every note.

export const TICKS_PER_QUARTER = 24;

export function notesOf(piece) {
  const notes = [];
  piece.parts.forEach(([program, isDrums, numbers], part) => {
    for (let i = 0; i < numbers.length; i += 4) {
      const [start, duration, pitch, velocity] = numbers.slice(i, i + 4);
      notes.push({ part, program, isDrums, start, duration, pitch, velocity });
    }
  });
  return notes.sort((a, b) => a.start - b.start || a.pitch - b.pitch);
}

export const tempoOf = (piece) => piece.tempi[0]?.[1] ?? 120; // quarters a minute

// The number of the bar, from 0, that holds a tick.
export function barAt(piece, tick) {
  let bar = 0;
  while (bar + 1 < piece.bars.length && piece.bars[bar + 1] <= tick) bar++;
  return bar;
}

const NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];

export const pitchName = (pitch) => `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

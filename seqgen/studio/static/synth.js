// A synthesiser without samples, and a player of pieces, on Web Audio.

import { TICKS_PER_QUARTER, notesOf, tempoOf } from "./piece.js";

const AHEAD = 0.2; // seconds that are scheduled in advance
const PERIOD = 40; // milliseconds between looks
const ATTACK = 0.008;
const RELEASE = 0.09;

// Families of General MIDI programs: wave, loudness, and how fast a held note fades, in seconds.
const SOUNDS = [
  [8, "triangle", 0.5, 0.9], [16, "sine", 0.5, 0.7], [24, "square", 0.16, 0], // piano, bells, organ
  [32, "triangle", 0.5, 0.6], [40, "triangle", 0.7, 1.2], [56, "sawtooth", 0.2, 0], // guitar, bass, strings
  [64, "sawtooth", 0.2, 0], [72, "square", 0.16, 0], [80, "triangle", 0.45, 0], // brass, reeds, pipes
  [128, "triangle", 0.4, 1.0],
];

const soundOf = (program) => SOUNDS.find(([below]) => program < below);

export const frequency = (pitch) => 440 * 2 ** ((pitch - 69) / 12);

export class Synth {
  constructor(context, destination = context.destination) {
    this.context = context;
    const compressor = context.createDynamicsCompressor();
    this.out = context.createGain();
    this.out.gain.value = 0.5;
    this.out.connect(compressor).connect(destination);
    this.sounding = new Set();
  }

  // Sounds a note at a time of the context, in seconds.
  note({ pitch, velocity = 80, program = 0, isDrums = false }, when, seconds) {
    const volume = (velocity / 127) ** 1.5;
    const gain = this.context.createGain();
    const source = isDrums ? this.drum(pitch, gain, volume, when)
      : this.tone(pitch, program, gain, volume, when, seconds);
    const end = when + (isDrums ? 0.25 : seconds + RELEASE);
    gain.connect(this.out);
    source.start(when);
    source.stop(end + 0.02);
    this.sounding.add(source);
    source.onended = () => {
      this.sounding.delete(source);
      gain.disconnect();
    };
  }

  tone(pitch, program, gain, volume, when, seconds) {
    const [, wave, loudness, fade] = soundOf(program);
    const source = this.context.createOscillator();
    source.type = wave;
    source.frequency.value = frequency(pitch);
    const filter = this.context.createBiquadFilter();
    filter.type = "lowpass";
    filter.frequency.value = Math.min(12_000, 4 * frequency(pitch) + 1200);
    source.connect(filter).connect(gain);
    const level = volume * loudness;
    gain.gain.setValueAtTime(0, when);
    gain.gain.linearRampToValueAtTime(level, when + ATTACK);
    if (fade) gain.gain.setTargetAtTime(level * 0.15, when + ATTACK, fade);
    gain.gain.setTargetAtTime(0, when + Math.max(seconds, ATTACK), RELEASE / 3);
    return source;
  }

  drum(pitch, gain, volume, when) {
    const isLow = pitch < 38;
    const source = isLow ? this.context.createOscillator() : this.context.createBufferSource();
    if (isLow) {
      source.frequency.setValueAtTime(140, when);
      source.frequency.exponentialRampToValueAtTime(45, when + 0.12);
    } else source.buffer = this.noise();
    source.connect(gain);
    gain.gain.setValueAtTime(volume * (isLow ? 0.9 : 0.35), when);
    gain.gain.exponentialRampToValueAtTime(0.001, when + (pitch === 42 ? 0.06 : 0.2));
    return source;
  }

  noise() {
    if (!this.buffer) {
      const { sampleRate } = this.context;
      this.buffer = this.context.createBuffer(1, sampleRate / 4, sampleRate);
      const samples = this.buffer.getChannelData(0);
      for (let i = 0; i < samples.length; i++) samples[i] = 2 * Math.random() - 1;
    }
    return this.buffer;
  }

  silence() {
    for (const source of this.sounding) source.stop();
  }
}

// Plays a piece; `position` is in ticks.
export class Player {
  constructor({ onposition = () => {}, onend = () => {} } = {}) {
    this.onposition = onposition;
    this.onend = onend;
    this.speed = 1; // of the piece's own tempo
    this.loop = null; // [first tick, tick after the last], or null
    this.position = 0;
    this.isPlaying = false;
    this.played = 0; // notes
  }

  load(piece) {
    this.piece = piece;
    this.notes = notesOf(piece);
    this.position = Math.min(this.position, piece.length);
  }

  get ticksPerSecond() { return this.speed * tempoOf(this.piece) * TICKS_PER_QUARTER / 60; }

  play(from = this.position) {
    this.context ??= new AudioContext();
    this.synth ??= new Synth(this.context);
    this.context.resume();
    this.stop();
    const [first, last] = this.loop ?? [0, this.piece.length];
    this.position = from >= last || from < first ? first : from;
    this.isPlaying = true;
    this.anchor(this.position, this.context.currentTime + 0.06);
    this.timer = setInterval(() => this.schedule(), PERIOD);
    this.schedule();
    const follow = () => {
      if (!this.isPlaying) return;
      this.onposition(this.now());
      requestAnimationFrame(follow);
    };
    requestAnimationFrame(follow);
  }

  // From now on, `tick` sounds at `when`.
  anchor(tick, when) {
    this.anchored = { tick, when };
    this.next = this.notes.findIndex((note) => note.start >= tick);
    if (this.next < 0) this.next = this.notes.length;
  }

  now() {
    if (!this.isPlaying) return this.position;
    const seconds = this.context.currentTime - this.anchored.when;
    return Math.max(this.anchored.tick, this.anchored.tick + seconds * this.ticksPerSecond);
  }

  schedule() {
    const [first, last] = this.loop ?? [0, this.piece.length];
    const timeOf = (tick) =>
      this.anchored.when + (tick - this.anchored.tick) / this.ticksPerSecond;
    const horizon = this.context.currentTime + AHEAD;
    for (; this.next < this.notes.length; this.next++) {
      const note = this.notes[this.next];
      const when = timeOf(note.start);
      if (note.start >= last || when > horizon) break;
      this.synth.note(note, Math.max(when, this.context.currentTime),
        note.duration / this.ticksPerSecond * 0.95);
      this.played++;
    }
    if (timeOf(last) <= horizon && this.loop) this.anchor(first, timeOf(last));
    else if (timeOf(last) <= this.context.currentTime) {
      this.pause();
      this.position = 0;
      this.onposition(0);
      this.onend();
    }
  }

  setSpeed(speed) {
    const tick = this.isPlaying ? this.now() : this.position;
    this.speed = speed;
    if (this.isPlaying) this.play(tick);
  }

  pause() {
    this.position = this.isPlaying ? Math.min(this.now(), this.piece.length) : this.position;
    this.isPlaying = false;
    clearInterval(this.timer);
  }

  stop() {
    this.pause();
    this.synth?.silence();
  }
}

// A piano roll on a canvas, with a cursor and a selection of bars.

import { barAt, notesOf, pitchName } from "./piece.js";

const LEFT = 34; // pixels for the names of pitches
const TOP = 16; // pixels for the numbers of bars

export class Roll {
  // `onbar` is called with the number of a bar, from 0, and the tick, when it is clicked.
  constructor(canvas, { onbar = () => {} } = {}) {
    this.canvas = canvas;
    this.position = 0;
    this.from = null; // the first bar that is selected
    canvas.addEventListener("click", (event) => {
      if (this.piece) {
        const tick = this.tickAt(event.offsetX);
        onbar(barAt(this.piece, tick), tick);
      }
    });
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  load(piece) {
    this.piece = piece;
    this.notes = notesOf(piece);
    const pitches = this.notes.map((note) => note.pitch);
    this.lowest = Math.min(...pitches, 72) - 2;
    this.highest = Math.max(...pitches, 60) + 2;
    this.draw();
  }

  tickAt(x) {
    const width = this.canvas.clientWidth - LEFT;
    return Math.max(0, Math.min(1, (x - LEFT) / width)) * this.piece.length;
  }

  move(position) {
    this.position = position;
    this.draw();
  }

  select(bar) {
    this.from = bar;
    this.draw();
  }

  draw() {
    const { canvas, piece } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !height) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (!piece) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const x = (tick) => LEFT + (tick / piece.length) * (width - LEFT);
    const row = (height - TOP) / (this.highest - this.lowest + 1);
    const y = (pitch) => TOP + (this.highest - pitch) * row;
    if (this.from !== null && this.from < piece.bars.length) {
      pen.fillStyle = colour("--kept");
      pen.fillRect(x(piece.bars[this.from]), 0, width, height);
    }
    pen.font = "10px system-ui, sans-serif";
    pen.fillStyle = colour("--soft");
    pen.strokeStyle = colour("--line");
    const gap = Math.ceil(piece.bars.length / Math.max(1, (width - LEFT) / 24));
    piece.bars.forEach((tick, i) => {
      pen.beginPath();
      pen.moveTo(x(tick), TOP);
      pen.lineTo(x(tick), height);
      pen.stroke();
      if (i % gap === 0) pen.fillText(String(i + 1), x(tick) + 2, 11);
    });
    for (let pitch = this.lowest; pitch <= this.highest; pitch++) {
      if (pitch % 12 === 0) pen.fillText(pitchName(pitch), 4, y(pitch) + row / 2 + 3);
    }
    for (const note of this.notes) {
      pen.fillStyle = colour(`--note-${note.part % 4}`);
      const long = Math.max(2, x(note.start + note.duration) - x(note.start) - 1);
      pen.fillRect(x(note.start), y(note.pitch), long, Math.max(2, row - 1));
    }
    pen.strokeStyle = colour("--bad");
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(x(this.position), TOP);
    pen.lineTo(x(this.position), height);
    pen.stroke();
    pen.lineWidth = 1;
  }
}

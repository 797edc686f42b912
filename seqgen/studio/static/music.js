// Composing: a tune, its score and roll, playing, and writing bars again.

import { post, upload } from "./api.js";
import {
  check, download, field, fileDrop, guarded, h, number, numeric, seedField, suggest, suggested,
} from "./dom.js";
import { keyboard } from "./keyboard.js";
import { Roll } from "./roll.js";
import { Player, Synth } from "./synth.js";

const FILES = { midi: ".mid", musicxml: ".musicxml", abc: ".abc", wav: ".wav", png: ".png" };
const INSTRUMENTS = ["piano", "violin", "fiddle", "flute", "recorder", "clarinet", "trumpet",
  "acoustic guitar", "accordion", "tin whistle"];
const LENGTHS = { "1/2": "2", "1/4": "4", "1/8": "8", "1/16": "16" };
const KEPT = "kept tunes"; // in the storage of the browser

function storedTunes() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? [];
  } catch {
    return [];
  }
}

class MusicPage {
  constructor(studio) {
    this.studio = studio;
    this.tune = null; // { piece, seed, longest_copy, settings }
    this.primer = null; // a piece from a file
    this.slots = {};
    this.fields();
    this.player = new Player({
      onposition: (tick) => this.roll.move(tick),
      onend: () => this.setPlaying(false),
    });
    const canvas = h("canvas", { className: "roll", tabIndex: 0, role: "img",
      ariaLabel: "Piano roll; arrow keys choose a bar, space plays",
      onkeydown: (event) => this.rollKey(event) });
    this.roll = new Roll(canvas, { onbar: (bar, tick) => {
      this.selectBar(bar);
      this.seek(tick);
    } });
    this.facts = h("p", { className: "facts", ariaLive: "polite" });
    this.score = h("div", { className: "score" });
    this.history = h("ol", { className: "history", ariaLabel: "History" });
    this.kept = h("ol", { className: "history", ariaLabel: "Kept tunes" });
    this.element = h("section", {}, h("div", { className: "split" }, this.form,
      h("div", { className: "panel" }, this.facts, canvas, this.transport(), this.again(),
        this.files(), this.score, h("h3", {}, "History"), this.history, h("h3", {}, "Kept"),
        this.kept)));
    this.enable(false);
    this.listKept();
  }

  fields() {
    this.model = this.studio.choice("music", () => this.known());
    this.bars = number({ name: "bars", min: 1, max: 256, value: 16 });
    this.key = suggested({ name: "key", placeholder: "any" });
    this.meter = suggested({ name: "meter", placeholder: "any" });
    this.tempo = number({ name: "tempo", min: 4, max: 1000, placeholder: "any" });
    this.range = h("input", { name: "range", placeholder: "G3-C6", autocomplete: "off" });
    this.instrument = suggested({ name: "instrument", placeholder: "any" }, INSTRUMENTS);
    this.temperature = number({ name: "temperature", min: 0, step: 0.05, value: 0.8 });
    this.topP = number({ name: "top-p", min: 0, max: 1, step: 0.01 });
    this.maxCopy = number({ name: "max-copy", min: 1 });
    this.seed = seedField();
    this.notes = h("textarea", { name: "primer", spellcheck: false,
      placeholder: "G4/8 A4/8 B4/4" });
    this.noteLength = h("select", { ariaLabel: "Length of a note of the keyboard" },
      ...Object.entries(LENGTHS).map(([name, value]) => h("option", { value }, name)));
    this.noteLength.value = "8";
    this.primerFacts = h("p", { className: "facts", ariaLive: "polite" });
    const keys = keyboard(60, 84, (name, pitch) => {
      this.usePrimer(null);
      this.notes.value = `${this.notes.value} ${name}/${this.noteLength.value}`.trim();
      this.sound(pitch);
    });
    const clear = h("button", { type: "button", onclick: () => {
      this.usePrimer(null);
      this.notes.value = "";
    } }, "Clear");
    this.compose = h("button", { className: "main", type: "submit" }, "Compose");
    this.form = h("form", { className: "panel", noValidate: true, onsubmit: (event) => {
      event.preventDefault();
      guarded(() => this.request({ bars: numeric(this.bars), primer: this.primer
        ?? (this.notes.value.trim() || undefined) }));
    } },
    h("h2", {}, "Music"),
    h("div", { className: "fields" },
      field("Model", this.model, true), field("Bars", this.bars),
      field("Temperature", this.temperature), field("Key", this.key.input),
      field("Meter", this.meter.input), field("Tempo", this.tempo), field("Range", this.range),
      field("Instrument", this.instrument.input, true), field("Top-p", this.topP),
      field("Longest copy, notes", this.maxCopy), ...this.seed.fields,
      field("Beginning", this.notes, true)),
    this.key.list, this.meter.list, this.instrument.list,
    h("div", { className: "row" }, this.noteLength, clear), keys,
    fileDrop("or drop or choose a file to begin with ",
      { accept: ".mid,.midi,.abc,.musicxml,.mxl,.xml,.krn" },
      ([file]) => guarded(async () => {
        const found = await upload("/api/music", file);
        this.usePrimer(found.pieces[0], file.name);
      })),
    this.primerFacts, h("div", { className: "row" }, this.compose));
  }

  show(model) {
    if (model) this.model.value = model;
    this.known();
  }

  known() {
    const model = this.studio.models("music").find((each) => each.id === this.model.value);
    if (!this.key) return;
    suggest(this.key.list, model?.keys ?? []);
    suggest(this.meter.list, model?.meters ?? []);
  }

  usePrimer(piece, name = "") {
    this.primer = piece;
    this.primerFacts.textContent = piece ? `begins with ${name}: ${piece.bars.length} bars` : "";
  }

  sound(pitch) {
    this.context ??= new AudioContext();
    this.single ??= new Synth(this.context);
    this.single.note({ pitch }, this.context.currentTime, 0.25);
  }

  transport() {
    this.play = h("button", { type: "button", onclick: () => this.toggle() }, "Play");
    this.halt = h("button", { type: "button", onclick: () => {
      this.player.stop();
      this.setPlaying(false);
      this.seek(0);
    } }, "Stop");
    this.loop = check("loop", { onchange: () => this.setLoop() });
    this.speed = h("input", { type: "range", min: 0.5, max: 2, step: 0.05, value: 1,
      ariaLabel: "Speed", oninput: () => {
        this.player.setSpeed(Number(this.speed.value));
        this.speedFacts.textContent = `${Math.round(100 * this.speed.value)} %`;
      } });
    this.speedFacts = h("span", { className: "facts" }, "100 %");
    return h("div", { className: "row" }, this.play, this.halt, this.loop.label,
      h("label", {}, "Speed", this.speed), this.speedFacts);
  }

  again() {
    this.from = number({ min: 2, value: 5, ariaLabel: "First bar to write again",
      oninput: () => this.selectBar(Number(this.from.value) - 1) });
    this.rewrite = h("button", { type: "button", onclick: () => guarded(() => {
      const { piece } = this.tune;
      const kept = numeric(this.from) - 1;
      return this.request({ primer: piece, keep_bars: kept, bars: piece.bars.length - kept });
    }) }, "Write again");
    this.keep = h("button", { type: "button", onclick: () => this.keepTune() }, "Keep");
    this.slotButtons = ["A", "B"].map((name) => h("button", { type: "button", onclick: () => {
      this.slots[name] = this.tune;
      this.enable(true);
    } }, `Set ${name}`));
    this.compare = h("button", { type: "button", onclick: () => {
      const next = this.tune === this.slots.A ? "B" : "A";
      this.load(this.slots[next], { seeks: false });
      this.facts.textContent = `${next}: ${this.facts.textContent}`;
    } }, "A / B");
    return h("div", { className: "row" }, h("label", {}, "from bar", this.from, "to the end"),
      this.rewrite, this.keep, ...this.slotButtons, this.compare);
  }

  files() {
    this.downloads = Object.entries(FILES).map(([format, suffix]) =>
      h("button", { type: "button", onclick: () => guarded(async () => {
        const answer = await post("/api/render", { piece: this.tune.piece, format });
        download(await answer.blob(), `${this.tune.piece.title || "tune"}${suffix}`);
      }) }, suffix.slice(1)));
    return h("div", { className: "row", role: "group", ariaLabel: "Download" }, ...this.downloads);
  }

  enable(hasTune) {
    for (const button of [this.play, this.halt, this.rewrite, this.keep, ...this.slotButtons,
      ...this.downloads]) button.disabled = !hasTune;
    this.compare.disabled = !(this.slots.A && this.slots.B);
  }

  async request(what) {
    const seed = this.seed.next();
    const options = {
      model: this.model.value, seed, temperature: numeric(this.temperature),
      top_p: numeric(this.topP), max_copy: numeric(this.maxCopy),
      range: this.range.value, instrument: this.instrument.input.value,
      tempo: numeric(this.tempo), ...what,
    };
    if (!what.keep_bars) Object.assign(options, { key: this.key.input.value,
      meter: this.meter.input.value });
    this.compose.disabled = this.rewrite.disabled = true;
    try {
      const answer = await post("/v1/tunes", options);
      const [found] = (await answer.json()).data;
      const tune = { ...found, name: `${options.temperature ?? 0.8} · ${seed}`
        + (what.keep_bars ? ` · from bar ${what.keep_bars + 1}` : "") };
      this.remember(tune);
      this.load(tune, { seeks: !what.keep_bars });
    } finally {
      this.compose.disabled = false;
      this.rewrite.disabled = !this.tune;
    }
  }

  load(tune, { seeks = true } = {}) {
    const wasPlaying = this.player.isPlaying;
    const position = seeks ? 0 : this.player.now();
    this.player.stop();
    this.tune = tune;
    this.player.load(tune.piece);
    this.roll.load(tune.piece);
    this.seek(Math.min(position, tune.piece.length));
    this.setLoop();
    if (wasPlaying) this.player.play();
    this.setPlaying(wasPlaying);
    this.enable(true);
    const copied = tune.longest_copy === null ? "" : tune.longest_copy
      ? `; longest run copied from the corpus: ${tune.longest_copy} notes` : "; no long copied run";
    this.facts.textContent = `${tune.piece.title} · ${tune.piece.bars.length} bars · ${tune.name}`
      + copied;
    this.draw();
  }

  async draw() {
    const { piece } = this.tune;
    try {
      const answer = await post("/api/render", { piece, format: "svg" });
      const url = URL.createObjectURL(await answer.blob());
      if (this.tune.piece !== piece) return URL.revokeObjectURL(url);
      if (this.scoreUrl) URL.revokeObjectURL(this.scoreUrl);
      this.scoreUrl = url;
      this.score.replaceChildren(h("img", { src: url, alt: `Score of ${piece.title}` }));
    } catch (error) {
      this.score.replaceChildren(h("p", { className: "facts" }, error.message));
    }
    return undefined;
  }

  seek(tick) {
    this.player.position = tick;
    this.roll.move(tick);
    if (this.player.isPlaying) this.player.play(tick);
  }

  toggle() {
    if (this.player.isPlaying) this.player.stop();
    else this.player.play();
    this.setPlaying(this.player.isPlaying);
  }

  setPlaying(isPlaying) { this.play.textContent = isPlaying ? "Pause" : "Play"; }

  setLoop() {
    this.player.loop = this.loop.input.checked && this.tune ? [0, this.tune.piece.length] : null;
  }

  selectBar(bar) {
    if (!this.tune) return;
    const first = Math.max(1, Math.min(bar, this.tune.piece.bars.length - 1));
    this.from.value = first + 1;
    this.roll.select(first);
  }

  rollKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === " " && this.tune) this.toggle();
    else if (step) this.selectBar(Number(this.from.value) - 1 + step);
    else return;
    event.preventDefault();
  }

  remember(tune) {
    this.history.prepend(this.entry(tune));
  }

  entry(tune, ...more) {
    return h("li", {}, h("span", {}, `${tune.piece.title} · ${tune.name}`),
      h("button", { type: "button", onclick: () => this.load(tune) }, "Back to this one"), ...more);
  }

  keepTune() {
    const tunes = [this.tune, ...storedTunes()].slice(0, 50);
    guarded(() => {
      try {
        localStorage.setItem(KEPT, JSON.stringify(tunes));
      } catch {
        throw new Error("the browser has no room to keep this tune; download it");
      }
      this.listKept();
    });
  }

  listKept() {
    this.kept.replaceChildren(...storedTunes().map((tune, at) => this.entry(tune,
      h("button", { type: "button", ariaLabel: "Forget", onclick: () => {
        const tunes = storedTunes();
        tunes.splice(at, 1);
        localStorage.setItem(KEPT, JSON.stringify(tunes));
        this.listKept();
      } }, "✕"))));
  }
}

export function musicPage(studio) { return new MusicPage(studio); }

// Writing texts: streams, alternatives, copied runs, candidates and history.

import { events, post } from "./api.js";
import { download, field, guarded, h, notice, number, numeric, seedField } from "./dom.js";

const NAMES = { " ": "space", "\n": "line end", "\t": "tab" };
const ALTERNATIVES = 6;

// One text while it is written.
class Candidate {
  constructor(page, name) {
    this.page = page;
    this.tokens = []; // { text, likely: { character: log-probability } }
    this.prompt = "";
    this.at = -1;
    this.body = h("div", {
      className: "text", tabIndex: 0, role: "textbox", ariaReadOnly: "true", ariaMultiLine: "true",
      ariaLabel: `${name}; arrow keys show the alternatives of a character`,
      onmouseover: (event) => this.hover(event), onkeydown: (event) => this.key(event),
      onclick: (event) => this.hover(event),
    });
    this.facts = h("p", { className: "facts", ariaLive: "polite" });
    this.element = h("div", {}, this.body, this.facts, h("div", { className: "row" },
      h("button", { type: "button", onclick: () => this.copy() }, "Copy"),
      h("button", { type: "button", onclick: () => this.save() }, "Download")));
  }

  get text() { return this.prompt + this.tokens.map((token) => token.text).join(""); }

  begin(prompt, kept = []) {
    this.prompt = prompt;
    this.tokens = [];
    this.body.replaceChildren(h("span", { className: "prompt" }, prompt));
    this.facts.textContent = "";
    kept.forEach((token) => this.add(token));
  }

  add(token) {
    this.body.append(h("span", { "data-at": String(this.tokens.length) }, token.text));
    this.tokens.push(token);
  }

  read(choice) {
    const { tokens, top_logprobs: likely } = choice.logprobs;
    tokens.forEach((text, i) => this.add({ text, likely: likely[i] }));
  }

  // Underlines the runs that are copied from the corpus, and says how long they are.
  mark({ runs, shortest }) {
    const characters = [...this.prompt].length;
    for (const [start, length] of runs) {
      let last = null;
      for (let at = start; at < start + length; at++) {
        const span = this.span(at - characters);
        if (span) {
          span.classList.add("copied");
          span.title = `${length} characters copied from the corpus`;
          last = span;
        }
      }
      last?.after(h("small", { className: "copy-length", ariaLabel: `copied: ${length}` },
        `[${length}]`));
    }
    if (shortest === null) this.facts.textContent = "this model has no index to find copies";
    else if (!runs.length) {
      this.facts.textContent = `no run of ${shortest} characters or more is copied`;
    } else {
      const longest = Math.max(...runs.map(([, length]) => length));
      this.facts.textContent = `longest run copied from the corpus: ${longest} characters`;
    }
  }

  span(at) { return at < 0 ? null : this.body.querySelector(`[data-at="${at}"]`); }

  hover(event) {
    const at = event.target.dataset?.at;
    if (at !== undefined) this.select(Number(at));
  }

  select(at) {
    this.span(this.at)?.classList.remove("at");
    this.at = Math.max(0, Math.min(at, this.tokens.length - 1));
    const span = this.span(this.at);
    if (!span || this.page.controller) return;
    span.classList.add("at");
    this.page.menu.open(span, this.tokens[this.at], (character) =>
      this.page.goOn(this, this.at, character));
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -1e9, End: 1e9 }[event.key];
    if (step) this.select(this.at + step);
    else if (event.key === "Enter") this.page.menu.focus();
    else if (event.key === "Escape") this.page.menu.close();
    else return;
    event.preventDefault();
  }

  copy() {
    guarded(async () => {
      await navigator.clipboard.writeText(this.text);
      this.facts.textContent = "copied to the clipboard";
    });
  }

  save() { download(new Blob([this.text], { type: "text/plain" }), "seqgen.txt"); }
}

// The alternatives of one character.
class Menu {
  constructor() {
    this.element = h("div", { className: "menu", role: "menu", hidden: true,
      ariaLabel: "Alternatives", onkeydown: (event) => this.key(event) });
    document.body.append(this.element);
    document.addEventListener("scroll", () => this.place(), true);
    document.addEventListener("mousedown", (event) => {
      if (!this.element.contains(event.target)) this.close();
    });
  }

  open(span, token, choose) {
    const likely = Object.entries(token.likely ?? {}).sort((a, b) => b[1] - a[1]);
    if (!likely.length) return this.close();
    this.element.replaceChildren(...likely.map(([character, score]) =>
      h("button", { type: "button", role: "menuitem", onclick: () => {
        this.close();
        choose(character);
      } }, h("span", {}, NAMES[character] ?? character),
      h("span", {}, `${(100 * Math.exp(score)).toFixed(1)} %`))));
    this.element.hidden = false;
    this.from = span;
    this.place();
    return undefined;
  }

  // Puts it below the character, or above if there is no room.
  place() {
    if (this.element.hidden) return;
    const box = this.from.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const left = Math.max(4, Math.min(box.left, innerWidth - width - 4));
    const below = box.bottom + 2 + height < innerHeight;
    this.element.style.left = `${left}px`;
    this.element.style.top = `${below ? box.bottom + 2 : Math.max(4, box.top - height - 2)}px`;
  }

  focus() { this.element.querySelector("button")?.focus(); }

  close() { this.element.hidden = true; }

  key(event) {
    const next = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (next) document.activeElement[next]?.focus();
    else if (event.key === "Escape") {
      this.close();
      this.from?.parentElement?.focus();
    } else return;
    event.preventDefault();
  }
}

class TextPage {
  constructor(studio) {
    this.menu = new Menu();
    this.candidates = [];
    this.controller = null;
    this.model = studio.choice("text");
    this.prompt = h("textarea", { name: "prompt", spellcheck: false });
    this.length = number({ name: "length", min: 1, max: 100000, value: 400 });
    this.temperature = number({ name: "temperature", min: 0, step: 0.05, value: 0.8 });
    this.count = number({ name: "candidates", min: 1, max: 8, value: 1 });
    this.topP = number({ name: "top-p", min: 0, max: 1, step: 0.01 });
    this.minP = number({ name: "min-p", min: 0, max: 1, step: 0.01 });
    this.maxCopy = number({ name: "max-copy", min: 1 });
    this.stopText = h("input", { name: "stop", autocomplete: "off" });
    this.seed = seedField();
    this.write = h("button", { className: "main", type: "submit" }, "Write");
    this.stop = h("button", { type: "button", disabled: true,
      onclick: () => this.controller?.abort() }, "Stop");
    this.outputs = h("div", { className: "candidates" });
    this.history = h("ol", { className: "history", ariaLabel: "History" });
    const form = h("form", { className: "panel", noValidate: true, onsubmit: (event) => {
      event.preventDefault();
      this.start();
    }, onkeydown: (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.start();
    } },
    h("h2", {}, "Text"),
    h("div", { className: "fields" },
      field("Model", this.model, true), field("Prompt", this.prompt, true),
      field("Length", this.length), field("Temperature", this.temperature),
      field("Top-p", this.topP), field("Min-p", this.minP),
      field("Stop text", this.stopText), field("Longest copy", this.maxCopy),
      ...this.seed.fields, field("Candidates", this.count)),
    h("div", { className: "row" }, this.write, this.stop,
      h("span", { className: "facts" }, "Ctrl+Enter")));
    this.element = h("section", {}, h("div", { className: "split" }, form,
      h("div", { className: "panel" }, this.outputs, h("h3", {}, "History"), this.history)));
    this.arrange(1);
  }

  show(model) { if (model) this.model.value = model; }

  arrange(count) {
    while (this.candidates.length < count) {
      const candidate = new Candidate(this, `Text ${this.candidates.length + 1}`);
      this.candidates.push(candidate);
    }
    this.candidates.length = count;
    this.outputs.replaceChildren(...this.candidates.map((candidate) => candidate.element));
  }

  options() {
    return {
      model: this.model.value, max_tokens: numeric(this.length),
      temperature: numeric(this.temperature), top_p: numeric(this.topP),
      min_p: numeric(this.minP), max_copy: numeric(this.maxCopy),
      stop: this.stopText.value || undefined, seed: this.seed.next(),
      logprobs: ALTERNATIVES, stream: true,
    };
  }

  start() {
    if (this.controller) return;
    guarded(async () => {
      const options = { ...this.options(), prompt: this.prompt.value, n: numeric(this.count) };
      this.arrange(Math.max(1, Math.min(options.n ?? 1, 8)));
      for (const candidate of this.candidates) candidate.begin(options.prompt);
      await this.stream(options, this.candidates);
    });
  }

  // Replaces a character, and writes the text again from there.
  goOn(candidate, at, character) {
    guarded(async () => {
      const kept = candidate.tokens.slice(0, at);
      const chosen = { text: character, likely: candidate.tokens[at].likely };
      const prompt = candidate.prompt;
      candidate.begin(prompt, [...kept, chosen]);
      const options = this.options();
      options.max_tokens = Math.max(1, (options.max_tokens ?? 16) - candidate.tokens.length);
      await this.stream({ ...options, prompt: candidate.text, n: 1 }, [candidate]);
    });
  }

  async stream(options, candidates) {
    this.controller = new AbortController();
    this.menu.close();
    this.write.disabled = true;
    this.stop.disabled = false;
    try {
      const answer = await post("/v1/completions", options, { signal: this.controller.signal });
      for await (const event of events(answer)) {
        for (const choice of event.choices) candidates[choice.index].read(choice);
      }
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    } finally {
      this.controller = null;
      this.write.disabled = false;
      this.stop.disabled = true;
      if (candidates.some((candidate) => candidate.tokens.length)) this.remember(options);
    }
    for (const candidate of candidates) {
      const found = await post("/api/copies", { model: options.model, text: candidate.text || " " });
      candidate.mark(await found.json());
    }
  }

  remember(options) {
    const texts = this.candidates.map(({ prompt, tokens }) => ({ prompt, tokens: [...tokens] }));
    const back = () => {
      if (this.controller) return;
      notice("");
      this.arrange(texts.length);
      texts.forEach(({ prompt, tokens }, i) => this.candidates[i].begin(prompt, tokens));
      this.prompt.value = texts[0].prompt;
      this.seed.input.value = options.seed;
      this.temperature.value = options.temperature ?? "";
    };
    const name = `${options.temperature ?? 1} · ${options.seed} · ${this.candidates[0].text}`;
    this.history.prepend(h("li", {}, h("span", {}, name.slice(0, 120)),
      h("button", { type: "button", onclick: back }, "Back to this one")));
  }
}

export function textPage(studio) { return new TextPage(studio); }

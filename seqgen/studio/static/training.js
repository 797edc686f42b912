// Training: files or a text, progress, and the end of a run.

import { events, follow, get, post } from "./api.js";
import { check, field, fileDrop, guarded, h, number, numeric } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Error(`${file.name} cannot be read`));
    reader.readAsDataURL(file);
  });
}

function minutes(seconds) {
  if (seconds === null) return "?";
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

// The losses of a run as two lines.
class Curve {
  constructor() {
    this.element = svg("svg", { class: "curve", viewBox: "0 0 100 100", role: "img",
      preserveAspectRatio: "none", "aria-label": "Losses of the run" });
    this.lines = { training: [], validation: [] };
    for (const name of Object.keys(this.lines)) {
      this.element.append(svg("polyline", { class: name }));
    }
  }

  add(name, fraction, loss) {
    if (loss === null) return;
    this.lines[name].push([fraction, loss]);
    const losses = Object.values(this.lines).flat().map(([, each]) => each);
    const [low, high] = [Math.min(...losses), Math.max(...losses)];
    for (const line of this.element.children) {
      const points = this.lines[line.getAttribute("class")].map(([x, y]) =>
        `${(100 * x).toFixed(2)},${(4 + 92 * (high - y) / (high - low || 1)).toFixed(2)}`);
      line.setAttribute("points", points.join(" "));
    }
  }
}

// What is shown of one run.
class RunView {
  constructor(run, studio) {
    this.run = run;
    this.studio = studio;
    this.bar = h("progress", { max: 1, value: 0, ariaLabel: "Progress" });
    this.facts = h("p", { className: "facts" }, "starting");
    this.curve = new Curve();
    this.sample = h("pre", { ariaLabel: "Sample" });
    this.messages = h("pre", { ariaLabel: "Messages" });
    this.stop = h("button", { type: "button", onclick: () => guarded(async () => {
      this.stop.disabled = true;
      await post(`/api/runs/${run.id}/stop`, {});
    }) }, "Stop and keep");
    this.element = h("div", { className: "panel" }, h("h3", {}, run.name), this.bar, this.facts,
      this.stop, this.curve.element, h("h3", {}, "Sample"), this.sample,
      h("h3", {}, "Messages"), this.messages);
  }

  async follow() {
    for await (const event of events(await follow(`/api/runs/${this.run.id}/events`))) {
      this.show(event);
    }
  }

  show(event) {
    if (event.kind === "step" || event.kind === "validation") {
      this.bar.value = event.fraction;
      const held = event.validation_loss === null ? "" : `, held out ${event.validation_loss.toFixed(3)}`;
      const loss = event.training_loss === null ? "?" : event.training_loss.toFixed(3);
      this.facts.textContent = `${minutes(event.seconds_left)} left, training ${loss} nats${held}`;
      this.curve.add("training", event.fraction, event.training_loss);
    }
    if (event.kind === "validation") {
      this.curve.add("validation", event.fraction, event.validation_loss);
      this.sample.textContent = event.sample;
    } else if (event.kind === "message") {
      this.messages.append(`${event.text}\n`);
    } else if (event.kind === "done") {
      this.bar.value = 1;
      this.facts.textContent = `saved as ${event.file}: ${event.score}`;
      this.stop.disabled = true;
      guarded(() => this.studio.refresh());
    } else if (event.kind === "error") {
      this.facts.textContent = event.text;
      this.facts.className = "bad";
      this.stop.disabled = true;
    }
  }
}

export function trainingPage(studio) {
  const name = h("input", { name: "name", autocomplete: "off", value: "my model" });
  const length = number({ name: "minutes", min: 0.01, step: "any", value: 3 });
  const text = h("textarea", { name: "corpus", spellcheck: false });
  const lines = check("every line is a piece of its own");
  const list = h("p", { className: "facts" });
  const views = h("div", {});
  const shown = new Set();
  let files = [];
  const choose = (found) => {
    files = found;
    list.textContent = files.map((file) => file.name).join(", ");
  };
  const start = h("button", { className: "main", type: "submit" }, "Train");
  const attach = (run) => {
    if (shown.has(run.id)) return;
    shown.add(run.id);
    const view = new RunView(run, studio);
    views.prepend(view.element);
    guarded(() => view.follow());
  };
  const form = h("form", { className: "panel", noValidate: true, onsubmit: (event) => {
    event.preventDefault();
    guarded(async () => {
      start.disabled = true;
      try {
        const data = { name: name.value, minutes: numeric(length) };
        if (text.value.trim()) data.text = text.value;
        if (files.length) {
          data.files = await Promise.all(files.map(async (file) =>
            ({ name: file.name, data: await base64(file) })));
        }
        if (lines.input.checked) data.lines = true;
        attach(await (await post("/api/runs", data)).json());
      } finally {
        start.disabled = false;
      }
    });
  } }, h("h2", {}, "Training"), h("div", { className: "fields" }, field("Name", name),
    field("Minutes", length)),
  fileDrop("Drop or choose files: text, music, pictures, tables ", { multiple: true }, choose), list,
  h("button", { type: "button", onclick: () => choose([]) }, "No files"),
  field("or paste a text", text), lines.label, h("div", { className: "row" }, start));
  const show = () => guarded(async () => (await get("/api/runs")).data.forEach(attach));
  return { element: h("section", {}, h("div", { className: "split" }, form, views)), show };
}

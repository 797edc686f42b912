// The frame of the page: tabs, and one module for each.

import { get } from "./api.js";
import { guarded, h } from "./dom.js";
import { imagesPage } from "./images.js";
import { labelsPage } from "./labels.js";
import { libraryPage } from "./library.js";
import { musicPage } from "./music.js";
import { textPage } from "./text.js";
import { trainingPage } from "./training.js";

const state = { models: [], listeners: [] };

// What pages know of each other.
const studio = {
  models: (task) => state.models.filter((model) => model.task === task),
  all: () => state.models,
  onModels: (listener) => state.listeners.push(listener),
  async refresh() {
    const found = await get("/api/library");
    state.models = found.data;
    state.folder = found.folder;
    for (const listener of state.listeners) listener();
  },
  folder: () => state.folder,
  open: (name, model) => show(name, model),
  // A select with the models of a task, kept up to date.
  choice(task, changed = () => {}) {
    const select = h("select", { name: "model", required: true, onchange: () => changed() });
    const fill = () => {
      const before = select.value;
      const names = studio.models(task).map((model) => model.id);
      select.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
      if (!names.length) select.append(h("option", { value: "" }, `no model of ${task} yet`));
      if (names.includes(before)) select.value = before;
      changed();
    };
    studio.onModels(fill);
    fill();
    return select;
  },
};

const pages = [
  ["Library", libraryPage], ["Text", textPage], ["Music", musicPage],
  ["Labels", labelsPage], ["Images", imagesPage], ["Training", trainingPage],
];
const made = new Map();
const buttons = new Map();

function show(name, model) {
  for (const [other, page] of made) page.element.hidden = other !== name;
  for (const [other, button] of buttons) {
    if (other === name) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  made.get(name).show?.(model);
}

for (const [name, make] of pages) {
  const page = make(studio);
  page.element.hidden = true;
  page.element.setAttribute("aria-label", name);
  made.set(name, page);
  document.getElementById("main").append(page.element);
  const button = h("button", { type: "button", onclick: () => show(name) }, name);
  buttons.set(name, button);
  document.getElementById("tabs").append(button);
}
show("Library");
guarded(() => studio.refresh());

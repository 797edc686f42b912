// The models of the studio.

import { upload } from "./api.js";
import { fileDrop, guarded, h } from "./dom.js";

const PAGES = { text: "Text", music: "Music", labels: "Labels", images: "Images" };

function size(bytes) {
  return bytes > 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
}

function card(model, studio) {
  if (model.error) {
    return h("article", { className: "panel" },
      h("h3", {}, model.id), h("p", { className: "bad" }, model.error));
  }
  const open = () => studio.open(PAGES[model.task], model.id);
  return h("article", { className: "panel" },
    h("h3", {}, model.id),
    h("p", { className: "facts" },
      `${model.task} · ${model.corpus} · ${model.cell} · ${size(model.bytes)}`),
    h("p", { className: "facts" }, model.score),
    PAGES[model.task] ? h("button", { type: "button", onclick: open }, `Open ${model.id}`) : null);
}

export function libraryPage(studio) {
  const list = h("div", { className: "models" });
  const add = fileDrop("Add a model: drop or choose a .keras file ", { accept: ".keras" },
    (files) => guarded(async () => {
      for (const file of files) await upload("/api/library", file);
      await studio.refresh();
    }));
  studio.onModels(() => {
    const cards = studio.all().map((model) => card(model, studio));
    const hint = h("p", {}, `There is no model in the folder ${studio.folder()} yet: train one, or `
      + "add a file.");
    list.replaceChildren(...(cards.length ? cards : [hint]));
  });
  return {
    element: h("section", {}, h("h2", {}, "Library"), list, h("h3", {}, "Add"), add),
    show: () => guarded(() => studio.refresh()),
  };
}

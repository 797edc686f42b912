// Labels of a text, and how they move along it.

import { post } from "./api.js";
import { field, guarded, h } from "./dom.js";

const PAUSE = 200; // milliseconds without typing before a request

export function labelsPage(studio) {
  let timer = 0;
  let controller = null;
  const text = h("textarea", { name: "text", oninput: () => later() });
  const model = studio.choice("labels", () => later());
  const label = h("h3", { ariaLive: "polite" });
  const bars = h("div", { className: "bars" });
  const course = h("div", { className: "text", ariaLabel: "The label along the text" });
  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => guarded(ask), PAUSE);
  }

  async function ask() {
    controller?.abort();
    if (!text.value.trim() || !model.value) {
      label.textContent = "";
      bars.replaceChildren();
      return course.replaceChildren();
    }
    controller = new AbortController();
    const { signal } = controller;
    const answer = await post("/api/labels", { model: model.value, text: text.value }, { signal });
    draw(await answer.json());
    return undefined;
  }

  function draw(found) {
    label.textContent = found.label;
    bars.replaceChildren(...Object.entries(found.probabilities).slice(0, 12).flatMap(
      ([name, share]) => {
        const bar = h("div", { className: "bar" });
        bar.style.width = `${100 * share}%`;
        return [h("span", {}, name), h("div", {}, bar), h("span", {}, `${(100 * share).toFixed(1)} %`)];
      }));
    const winner = found.labels.indexOf(found.label);
    course.replaceChildren(...found.steps.map((step, at) => {
      const share = found.course[at][winner];
      const span = h("span", { title: `${found.label}: ${(100 * share).toFixed(1)} %` }, step);
      span.style.background = `color-mix(in srgb, var(--accent) ${Math.round(45 * share)}%, transparent)`;
      return span;
    }));
  }

  return {
    element: h("section", {}, h("div", { className: "split" },
      h("div", { className: "panel" }, h("h2", {}, "Labels"), field("Model", model),
        field("Text", text)),
      h("div", { className: "panel" }, label, bars, h("h3", {}, "Along the text"), course))),
    show: (name) => {
      if (name) model.value = name;
    },
  };
}

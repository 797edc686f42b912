// A sheet of pictures, and completing an upper half.

import { post } from "./api.js";
import { field, fileDrop, guarded, h, number, numeric, seedField } from "./dom.js";

const SIDE = 128; // pixels of the drawing pad

async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

// A pad to draw the upper half of a picture on.
function drawingPad() {
  const pad = h("canvas", { className: "pad", width: SIDE, height: SIDE,
    ariaLabel: "Pad to draw the upper half of a picture on" });
  const pen = pad.getContext("2d");
  let isEmpty = true;
  const clear = () => {
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, SIDE, SIDE);
    isEmpty = true;
  };
  clear();
  const scale = () => SIDE / pad.clientWidth;
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(event.offsetX * scale(), event.offsetY * scale());
  });
  pad.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    isEmpty = false;
    pen.strokeStyle = "#fff";
    pen.lineWidth = 12;
    pen.lineCap = "round";
    pen.lineTo(event.offsetX * scale(), event.offsetY * scale());
    pen.stroke();
  });
  return { pad, clear, get isEmpty() { return isEmpty; },
    blob: () => new Promise((resolve) => pad.toBlob(resolve, "image/png")) };
}

export function imagesPage(studio) {
  const model = studio.choice("images");
  const count = number({ name: "count", min: 1, max: 64, value: 16 });
  const temperature = number({ name: "temperature", min: 0, step: 0.05, value: 0.8 });
  const seed = seedField();
  const sheet = h("div", { className: "sheet" });
  const facts = h("p", { className: "facts", ariaLive: "polite" });
  const drawing = drawingPad();
  let file = null;
  const chosen = h("p", { className: "facts" });
  const use = (found) => {
    file = found;
    chosen.textContent = file ? `completes the upper half of ${file.name}` : "";
  };
  const clear = h("button", { type: "button", onclick: () => {
    drawing.clear();
    use(null);
  } }, "Clear");
  const draw = h("button", { className: "main", type: "submit" }, "Draw");
  const form = h("form", { className: "panel", noValidate: true, onsubmit: (event) => {
    event.preventDefault();
    guarded(async () => {
      draw.disabled = true;
      try {
        const options = { model: model.value, n: numeric(count), seed: seed.next(),
          temperature: numeric(temperature) };
        if (file) options.primer = await base64(file);
        else if (!drawing.isEmpty) options.primer = await base64(await drawing.blob());
        const found = await (await post("/api/pictures", options)).json();
        sheet.replaceChildren(...found.data.map(({ png }, at) => h("img", {
          src: `data:image/png;base64,${png}`, alt: `Picture ${at + 1}` })));
        facts.textContent = `seed ${found.seed}`;
      } finally {
        draw.disabled = false;
      }
    });
  } }, h("h2", {}, "Images"), h("div", { className: "fields" }, field("Model", model, true),
    field("Pictures", count), field("Temperature", temperature), ...seed.fields),
  h("h3", {}, "Upper half to complete"), drawing.pad,
  h("div", { className: "row" }, clear),
  fileDrop("or drop or choose a picture ", { accept: "image/*" }, ([found]) => use(found)), chosen,
  h("div", { className: "row" }, draw));
  return {
    element: h("section", {}, h("div", { className: "split" }, form,
      h("div", { className: "panel" }, facts, sheet))),
    show: (name) => {
      if (name) model.value = name;
    },
  };
}

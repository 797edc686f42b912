// A small keyboard that types notes.

import { h } from "./dom.js";
import { pitchName } from "./piece.js";

const BLACK = new Set([1, 3, 6, 8, 10]);

export function keyboard(first, last, press) {
  const keys = [];
  for (let pitch = first; pitch <= last; pitch++) {
    const name = pitchName(pitch);
    keys.push(h("button", {
      type: "button", className: BLACK.has(pitch % 12) ? "black" : "", ariaLabel: name,
      onclick: () => press(name, pitch),
    }, pitch % 12 === 0 ? name : ""));
  }
  return h("div", { className: "keys", role: "group", ariaLabel: "Keyboard" }, ...keys);
}

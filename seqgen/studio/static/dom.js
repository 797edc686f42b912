// Elements. Text always becomes text nodes, never HTML.

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list" && name !== "role") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function field(text, input, wide = false) {
  return h("label", { className: wide ? "wide" : "" }, text, input);
}

export function check(text, properties = {}) {
  const input = h("input", { type: "checkbox", ...properties });
  return { input, label: h("label", { className: "check" }, input, text) };
}

export function number(properties) {
  return h("input", { type: "number", autocomplete: "off", ...properties });
}

let lists = 0;

// A text field with suggestions; returns the input and its list.
export function suggested(properties, values = []) {
  const id = `list-${++lists}`;
  const list = h("datalist", { id }, ...values.map((value) => h("option", { value })));
  return { input: h("input", { autocomplete: "off", ...properties, list: id }), list };
}

export function suggest(list, values) {
  list.replaceChildren(...values.map((value) => h("option", { value })));
}

// Says what went wrong at the top of the page, until it is closed or the next attempt.
export function notice(text) {
  const place = document.getElementById("notice");
  if (!text) return place.replaceChildren();
  const close = h("button", { onclick: () => place.replaceChildren(), ariaLabel: "Close" }, "✕");
  place.replaceChildren(h("div", {}, h("span", {}, text), close));
}

export async function guarded(work) {
  notice("");
  try {
    return await work();
  } catch (error) {
    if (error.name !== "AbortError") notice(error.message);
    return undefined;
  }
}

export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// Value of a field as a number; undefined if it is empty.
export function numeric(input) {
  if (input.value.trim() === "") {
    if (input.validity.badInput) throw new Error(`${input.name}: expected a number`);
    return undefined;
  }
  return Number(input.value);
}

export const newSeed = () => Math.floor(Math.random() * 2 ** 31);

// A seed that changes with every use unless it is locked.
export function seedField() {
  const input = number({ name: "seed", min: 0, step: 1, value: newSeed() });
  const lock = check("keep the seed", { name: "lock" });
  return {
    input, lock: lock.input,
    fields: [field("Seed", input), lock.label],
    next() {
      if (!lock.input.checked || input.value === "") input.value = newSeed();
      return Number(input.value);
    },
  };
}

// A place where files can be dropped or chosen.
export function fileDrop(text, properties, use) {
  const input = h("input", { type: "file", ...properties, onchange: () => {
    if (input.files.length) use([...input.files]);
    input.value = "";
  } });
  const place = h("div", { className: "drop" }, h("label", {}, text, input));
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("over");
  });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    if (event.dataTransfer.files.length) use([...event.dataTransfer.files]);
  });
  return place;
}

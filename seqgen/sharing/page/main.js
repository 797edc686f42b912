// The page: its fields, its buttons, and the text that grows.

import { CopyIndex } from "./copies.js";
import { Engine } from "./engine.js";
import { read } from "./payload.js";
import { TextGenerator } from "./text.js";

const SLICE = 30; // milliseconds of work between two chances to draw the page
const BLOCK = 2000; // characters after which a new line begins a new block
const element = (id) => document.getElementById(id);
const facts = JSON.parse(element("facts").textContent);
let run = 0; // number of the run that writes; another one ends it

function say(text, isError = false) {
  element("status").textContent = text;
  element("status").classList.toggle("error", isError);
}

function setBusy(isBusy) {
  element("output").setAttribute("aria-busy", String(isBusy));
  element("stop").disabled = !isBusy;
  element("write").disabled = isBusy;
}

// A number of a field; an Error says what it may be.
function number(id, least, most, isWhole = false) {
  const value = Number(element(id).value);
  const ok = element(id).value.trim() && value >= least && value <= most;
  if (!ok || (isWhole && !Number.isInteger(value))) {
    const kind = isWhole ? "a whole number" : "a number";
    const name = element(id).labels[0].textContent.trim();
    throw new Error(`${name}: expected ${kind} from ${least} to ${most}`);
  }
  return value;
}

function seed() {
  const text = element("seed").value.trim();
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 1n << 64n) {
    throw new Error("Seed: expected a whole number from 0 to 18446744073709551615");
  }
  return BigInt(text);
}

function options() {
  const least = Number.MIN_VALUE;
  const temperature = number("temperature", 0, 1e6);
  return {
    length: number("length", 0, 1e9, true),
    temperature: temperature && Math.max(temperature, 1e-250),
    topK: number("top-k", 0, 1e9, true),
    topP: number("top-p", least, 1),
    minP: number("min-p", 0, 1),
    seed: seed(),
  };
}

// Text that grows. The browser lays out a whole block again when it grows, so they stay short.
class Output {
  constructor(element) {
    this.element = element;
    this.element.replaceChildren();
    this.open();
  }

  open() {
    this.node = document.createTextNode("");
    const block = document.createElement("div");
    block.append(this.node);
    this.element.append(block);
  }

  append(text) {
    const end = this.node.length > BLOCK ? text.indexOf("\n") + 1 : 0;
    this.node.appendData(end ? text.slice(0, end) : text);
    if (!end) return;
    this.open();
    this.append(text.slice(end));
  }
}

// Lets the browser draw the page and handle clicks, without the delay of a timer.
function pause() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

async function write(generator) {
  const own = ++run;
  const { text, ids } = generator.encode(element("prompt").value);
  const chosen = options();
  const output = new Output(element("output"));
  output.append(text);
  const started = performance.now();
  let count = 0;
  let pending = "";
  let until = started + SLICE;
  for (const character of generator.characters({ ...chosen, ids, isEmpty: !text })) {
    pending += character;
    count++;
    if (performance.now() < until) continue;
    output.append(pending);
    pending = "";
    await pause();
    if (own !== run) return;
    until = performance.now() + SLICE;
  }
  output.append(pending);
  const seconds = (performance.now() - started) / 1000;
  const rate = Math.round(count / Math.max(seconds, 0.001));
  output.element.dataset.rate = String(rate);
  const written = `${count.toLocaleString("en")} characters, ${rate.toLocaleString("en")} a second`;
  say([written, generator.report(ids)].filter(Boolean).join("; "));
}

async function start(generator) {
  if (!element("lock").checked) {
    element("seed").value = String(crypto.getRandomValues(new Uint32Array(1))[0] >>> 1);
  }
  setBusy(true);
  try {
    say("writing");
    await write(generator);
  } catch (error) {
    say(error.message, true);
  } finally {
    setBusy(false);
  }
}

function stop() {
  run++;
  say("stopped");
}

async function copy() {
  try {
    await navigator.clipboard.writeText(element("output").textContent);
    say("copied");
  } catch {
    getSelection().selectAllChildren(element("output"));
    say("the text is selected: copy it with the keyboard");
  }
}

function download() {
  const text = new Blob([element("output").textContent], { type: "text/plain" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(text);
  link.download = "text.txt";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function main() {
  element("length").value = facts.length;
  element("temperature").value = facts.temperature;
  try {
    const [code, model] = [await read("engine"), await read("model")];
    const indexes = [];
    for (const [i, index] of facts.indexes.entries()) {
      indexes.push(new CopyIndex(index, await read(`index-${i}`)));
    }
    const generator = new TextGenerator(await Engine.open(code, model), facts, indexes);
    element("form").addEventListener("submit", (event) => {
      event.preventDefault();
      start(generator);
    });
    element("stop").addEventListener("click", stop);
    element("copy").addEventListener("click", copy);
    element("download").addEventListener("click", download);
    say("ready");
    setBusy(false);
  } catch (error) {
    say(`this browser cannot run the model: ${error.message}`, true);
  }
}

main();

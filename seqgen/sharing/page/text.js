// Generation of text, as seqgen/tasks/text/generate.py does it.

import { report } from "./copies.js";

export class TextGenerator {
  constructor(engine, facts, indexes) {
    this.engine = engine;
    this.facts = facts;
    this.indexes = indexes; // of the training corpora, to find copies
    this.ids = new Map(facts.tokens.map((token, id) => [token, id]));
    if (facts.unknown !== null) engine.allow(facts.unknown, false);
  }

  // The prompt as the model reads it, and its ids; an Error lists characters that it does not know.
  encode(prompt) {
    const text = prompt.replace(/\r\n?/g, "\n");
    const { tokens, end, unknown } = this.facts;
    const characters = [...text];
    const foreign = [...new Set(characters.filter((character) => !this.ids.has(character)))];
    if (foreign.length) {
      const shown = foreign.slice(0, 10).map((character) => JSON.stringify(character)).join(", ");
      throw new Error(`the model has never seen these characters: ${shown}; leave them out`);
    }
    const ids = characters.map((character) => this.ids.get(character));
    if (end !== null) ids.unshift(end);
    else if (!ids.length) {
      ids.push(this.ids.get("\n") ?? tokens.findIndex((_, id) => id !== unknown));
    }
    return { text, ids };
  }

  // One line on the copies in an output, ids with those of the prompt; empty without an index.
  report(ids) {
    const startsPiece = ids[0] === this.facts.end;
    const codes = this.facts.codes.map(BigInt);
    return report(this.indexes, ids.slice(Number(startsPiece)).map((id) => codes[id]), startsPiece);
  }

  // Yields one new character after another, and appends their ids to those of the prompt.
  *characters({ ids, isEmpty, length, seed, ...options }) {
    const { engine, facts } = this;
    engine.start(seed);
    ids.forEach((id) => engine.read(id));
    for (let drawn = 0; drawn < length; drawn++) {
      if (facts.end !== null) engine.allow(facts.end, drawn > 0 || !isEmpty);
      const id = engine.draw(options);
      if (id === facts.end) return;
      ids.push(id);
      yield facts.tokens[id];
      engine.read(id);
    }
  }
}

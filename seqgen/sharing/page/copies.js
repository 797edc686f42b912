// Runs of an output that occur in the corpus, as seqgen/copying/index.py finds them.

const MULTIPLIER = 0x9e3779b97f4a7c15n;
const HASHES = 4n;
const PAD = 0x5eedn;

const wrap = (number) => BigInt.asUintN(64, number);

function mixed(number) {
  number = wrap((number ^ (number >> 31n)) * MULTIPLIER);
  number = wrap((number ^ (number >> 29n)) * MULTIPLIER);
  return number ^ (number >> 32n);
}

export class CopyIndex {
  constructor({ order, every, shortest }, bits) {
    this.order = order;
    this.every = BigInt(every);
    this.shortest = shortest;
    this.bits = bits;
    this.leaving = 1n; // the factor of a code that leaves an n-gram
    for (let i = 0; i < order; i++) this.leaving = wrap(this.leaving * MULTIPLIER);
  }

  // Whether an n-gram may occur in the corpus.
  holds(hash) {
    if (hash % this.every) return true;
    const step = (hash >> 32n) | 1n;
    const size = BigInt(8 * this.bits.length);
    for (let i = 0n; i < HASHES; i++) {
      const position = Number(wrap(hash + i * step) % size);
      if (!((this.bits[Math.floor(position / 8)] >> (position % 8)) & 1)) return false;
    }
    return true;
  }

  // The length of the longest run of codes that occurs in the corpus.
  longest(codes, startsPiece) {
    const pads = startsPiece ? Array(this.order - 1).fill(PAD) : [];
    const padded = [...pads, ...codes];
    let [hash, unknown, longest] = [0n, -1, 0];
    padded.forEach((code, i) => {
      const left = i >= this.order ? padded[i - this.order] * this.leaving : 0n;
      hash = wrap(hash * MULTIPLIER + code - left);
      const end = i - this.order + 1;
      if (end < 0) return;
      if (!this.holds(mixed(hash))) {
        unknown = end;
        return;
      }
      // A run from the start of a piece has no codes before its first n-gram.
      const before = startsPiece && unknown < 0 ? 0 : this.order - 1;
      longest = Math.max(longest, end - unknown + before);
    });
    return longest;
  }
}

// One line on the longest run in an output; empty without an index.
export function report(indexes, codes, startsPiece) {
  if (!indexes.length) return "";
  const shortest = Math.min(...indexes.map((index) => index.shortest));
  const longest = Math.max(...indexes.map((index) => index.longest(codes, startsPiece)));
  return longest < shortest
    ? `no run of ${shortest} characters or more is copied from the corpus`
    : `longest run copied from the corpus: ${longest} characters`;
}

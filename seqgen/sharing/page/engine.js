// The engine in WebAssembly: tokens in, tokens out; see seqgen/native/wasm/engine.c.

export class Engine {
  static async open(code, model) {
    const { instance } = await WebAssembly.instantiate(code, {});
    const engine = new Engine(instance.exports);
    const at = engine.wasm.reserve(model.length);
    if (!at) throw new Error("there is not enough memory for the model");
    new Uint8Array(engine.wasm.memory.buffer, at, model.length).set(model);
    engine.wasm.open_model(at);
    return engine;
  }

  constructor(wasm) {
    this.wasm = wasm;
    wasm._initialize();
  }

  // Begin the first output of a seed, a BigInt below 2^64.
  start(seed) {
    this.wasm.start(Number(seed & 0xffffffffn), Number(seed >> 32n), 0);
  }

  read(token) {
    if (this.wasm.read_token(token)) throw new Error("the model cannot read this token");
  }

  // Allow or forbid a token in all draws that follow.
  allow(token, isAllowed) {
    new Uint8Array(this.wasm.memory.buffer)[this.wasm.mask() + token] = isAllowed ? 1 : 0;
  }

  draw({ temperature, topK, topP, minP }) {
    const token = this.wasm.draw_token(temperature, topK, topP, minP);
    if (token < 0) throw new Error("the model gives no number from which a token can be drawn");
    return token;
  }
}

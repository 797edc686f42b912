// The data in the page: compressed, with four bytes escaped; see seqgen/sharing/payload.py.

const ESCAPE = 61;
const SHIFT = 64;

// The byte of every character of windows-1252.
function byteTable() {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const table = new Uint8Array(65536);
  [...new TextDecoder("windows-1252").decode(all)].forEach((character, byte) => {
    table[character.charCodeAt(0)] = byte;
  });
  return table;
}

export function unescapeBytes(text) {
  const table = byteTable();
  const bytes = new Uint8Array(text.length);
  let size = 0;
  for (let i = 0; i < text.length; i++) {
    let byte = table[text.charCodeAt(i)];
    if (byte === ESCAPE) byte = (table[text.charCodeAt(++i)] - SHIFT) & 255;
    bytes[size++] = byte;
  }
  return bytes.subarray(0, size);
}

// The content of a <script> of data, as bytes.
export async function read(id) {
  const element = document.getElementById(id);
  const bytes = unescapeBytes(element.textContent);
  element.remove(); // its text takes twice the memory of the bytes
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

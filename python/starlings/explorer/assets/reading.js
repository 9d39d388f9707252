// Reading the data of the page: base64, inflated, then one JSON text that describes numbered sections of numbers and of
// JSON. Sections are views of one buffer; JSON ones are parsed when they are first asked for.

const ARRAYS = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f64: Float64Array };

function bytesOfBase64(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

async function inflated(bytes) {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("This browser cannot unpack the data: it has no DecompressionStream. Any of 2023 or later has.");
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

async function readContents(text) {
  const buffer = await inflated(bytesOfBase64(text));
  const decoder = new TextDecoder();
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const contents = JSON.parse(decoder.decode(new Uint8Array(buffer, 8, length)));
  const start = 8 + length + ((8 - (length % 8)) % 8);
  const parsed = new Map();
  contents.section = (number) => {
    if (!parsed.has(number)) {
      const [kind, offset, size] = contents.sections[number];
      const section = kind === "json"
        ? JSON.parse(decoder.decode(new Uint8Array(buffer, start + offset, size)))
        : new ARRAYS[kind](buffer, start + offset, size / ARRAYS[kind].BYTES_PER_ELEMENT);
      parsed.set(number, section);
    }
    return parsed.get(number);
  };
  return contents;
}

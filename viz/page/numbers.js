// The numbers of the page: unpacked, found and written. None is computed here: each is one that graph.run gave.

const NAN = -32768;
const INFINITE = 32767;

// The bytes of the page's numbers, from the text that holds them.
export async function unpacked(text) {
  const packed = fromBase64(text.trim());
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let k = 0; k < letters.length; k++) bytes[k] = letters.charCodeAt(k);
  return bytes;
}

// An array that begins at a byte: float32, or whole numbers of `decimals` decimals. Bytes of one weight stand together.
export function plane(bytes, at, count, decimals) {
  if (decimals === undefined) {
    const numbers = new Float32Array(count);
    const parts = new Uint8Array(numbers.buffer);
    for (let part = 0; part < 4; part++) {
      for (let k = 0, from = at + part * count; k < count; k++) parts[4 * k + part] = bytes[from + k];
    }
    return numbers;
  }
  const numbers = new Float64Array(count);
  const scale = 10 ** decimals;
  for (let k = 0; k < count; k++) {
    const whole = ((bytes[at + k] | (bytes[at + count + k] << 8)) << 16) >> 16;
    numbers[k] = whole === NAN ? NaN : whole === INFINITE ? Infinity : whole === -INFINITE ? -Infinity : whole / scale;
  }
  return numbers;
}

// A number as text, with a true minus sign.
export function written(value, digits = 2) {
  if (value === null || value === undefined) return "";
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const large = Math.abs(value) >= 100000;
  const text = large ? Math.abs(value).toExponential(2) : Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? "−" : "") + text;
}

// What the tensors of a loop hold.
export class Values {
  constructor(data, bytes) {
    this.data = data;
    this.bytes = bytes;
    this.known = new Map();
    this.readers = new Map();
  }

  has(row, slot) {
    const found = this.slot(row, slot);
    if (!found) return false;
    if (found.within !== undefined) return this.has(row, found.within);
    return found.parts === undefined || found.parts.every((part) => this.has(row, part));
  }

  slot(row, slot) {
    return slot === undefined || slot === null ? null : this.data.rows[row].slots[slot];
  }

  // How many elements a tensor has in one row of the batch.
  count(row, slot) {
    const found = this.slot(row, slot);
    if (!found) return 0;
    return found.parts ? found.parts.reduce((sum, part) => sum + this.count(row, part), 0) : found.n;
  }

  // How many elements are one number, their mean.
  block(row, slot) {
    const found = this.slot(row, slot);
    if (!found) return 1;
    return found.within !== undefined ? this.block(row, found.within) : (found.k ?? 1);
  }

  // A number of a tensor as text: whole numbers without decimals, a mask in words.
  written(row, slot, value, digits = 2) {
    const whole = this.slot(row, slot)?.whole;
    if (value === undefined) return "";
    return whole === "bool" ? String(Boolean(value)) : written(value, whole ? 0 : digits);
  }

  // One number: of a row of the batch, at a step counted from the loop's first, of an element. Undefined where it is not here.
  at(row, slot, batch, step, element) {
    if (!this.slot(row, slot) || step < 0 || step >= this.data.rows[row].steps) return undefined;
    return this.reader(row, slot, batch)(step, element);
  }

  // What gives the number of a step and an element, for one row of the batch: made once, then asked often.
  reader(row, slot, batch) {
    const key = (row * 4096 + slot) * 65536 + batch;
    if (!this.readers.has(key)) this.readers.set(key, this.made(row, slot, batch));
    return this.readers.get(key);
  }

  made(row, slot, batch) {
    const found = this.slot(row, slot);
    if (!found) return () => undefined;
    if (found.within !== undefined) {
      const inner = this.reader(row, found.within, batch);
      return (step, element) => (element < found.n ? inner(step, found.from + element) : undefined);
    }
    if (found.parts !== undefined) return this.joined(row, found.parts, batch);
    if (found.cut && batch >= found.b) return () => undefined;
    const block = found.k ?? 1;
    const width = Math.ceil(found.n / block);
    const every = found.every ?? 1;
    const first = found.first ?? 0;
    const steps = found.steps?.length ?? found.count ?? Math.ceil(this.data.rows[row].steps / every);
    const numbers = this.plane(row + "/" + slot, found.at, found.b * steps * width, found.d);
    const base = Math.min(batch, found.b - 1) * steps;
    const place = found.steps && new Map(found.steps.map((one, at) => [one, at]));
    return (step, element) => {
      const line = place ? place.get(step) : (step - first) / every;
      if (!Number.isInteger(line) || line < 0 || line >= steps || element < 0 || element >= found.n) return undefined;
      return numbers[(base + line) * width + (block > 1 ? Math.floor(element / block) : element)];
    };
  }

  // The numbers of one row of the batch where they lie one step after another, each of as many units: the array, where the first
  // step begins in it, how wide a step is, and which step is the first and the last; null where they do not lie so.
  table(row, slot, batch) {
    const found = this.slot(row, slot);
    if (!found) return null;
    if (found.within !== undefined) {
      const whole = this.table(row, found.within, batch);
      return whole && { ...whole, base: whole.base + found.from };
    }
    if (found.parts !== undefined || found.steps || (found.k ?? 1) > 1 || (found.every ?? 1) > 1 || (found.cut && batch >= found.b)) return null;
    const steps = found.count ?? this.data.rows[row].steps;
    const numbers = this.plane(row + "/" + slot, found.at, found.b * steps * found.n, found.d);
    const first = found.first ?? 0;
    return { numbers, base: Math.min(batch, found.b - 1) * steps * found.n, width: found.n, first, last: first + steps - 1 };
  }

  joined(row, parts, batch) {
    const held = parts.map((part) => [this.reader(row, part, batch), this.count(row, part)]);
    return (step, element) => {
      let at = element;
      for (const [reader, count] of held) {
        if (at < count) return reader(step, at);
        at -= count;
      }
      return undefined;
    };
  }

  plane(key, at, count, decimals) {
    if (!this.known.has(key)) this.known.set(key, plane(this.bytes, at, count, decimals));
    return this.known.get(key);
  }

  // The numbers of a weight, as it is shown.
  weight(number, largest = false) {
    const item = this.data.parameters[number];
    const where = largest ? item.largest : item.plane;
    return this.plane("weight" + number + largest, where.at, where.n, where.d);
  }
}

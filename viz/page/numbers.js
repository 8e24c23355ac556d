// The numbers of the page: unpacked, found and written. None is computed here: each is one that graph.run gave.

const NAN = -32768;
const INFINITE = 32767;

// The bytes of the page's numbers, from the text that holds them.
export async function unpacked(text) {
  const packed = Uint8Array.from(atob(text.trim()), (char) => char.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// An array that begins at a byte: float32, or whole numbers of `decimals` decimals. Bytes of one weight stand together.
export function plane(bytes, at, count, decimals) {
  const numbers = new Float64Array(count);
  if (decimals === undefined) {
    const buffer = new DataView(new ArrayBuffer(4));
    for (let k = 0; k < count; k++) {
      for (let part = 0; part < 4; part++) buffer.setUint8(part, bytes[at + part * count + k]);
      numbers[k] = buffer.getFloat32(0, true);
    }
    return numbers;
  }
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

  // The place of a step among those that have a tensor; -1 where it does not.
  line(found, step) {
    if (found.steps === undefined) return step;
    if (!this.known.has(found)) this.known.set(found, new Map(found.steps.map((one, place) => [one, place])));
    return this.known.get(found).get(step) ?? -1;
  }

  // One number: of a row of the batch, at a step counted from the loop's first, of an element. Undefined where it is not here.
  at(row, slot, batch, step, element) {
    const found = this.slot(row, slot);
    if (!found || step < 0 || step >= this.data.rows[row].steps) return undefined;
    if (found.within !== undefined) return this.at(row, found.within, batch, step, found.from + element);
    if (found.parts !== undefined) {
      let place = element;
      for (const part of found.parts) {
        const count = this.count(row, part);
        if (place < count) return this.at(row, part, batch, step, place);
        place -= count;
      }
      return undefined;
    }
    const block = found.k ?? 1;
    const width = Math.ceil(found.n / block);
    if (element < 0 || element >= found.n || (found.cut && batch >= found.b)) return undefined;
    const place = this.line(found, step);
    if (place < 0) return undefined;
    const steps = found.steps?.length ?? this.data.rows[row].steps;
    const key = row + "/" + slot;
    if (!this.known.has(key)) {
      const count = found.b * steps * width;
      this.known.set(key, plane(this.bytes, found.at, count, found.d));
    }
    const line = Math.min(batch, found.b - 1) * steps + place;
    return this.known.get(key)[line * width + Math.floor(element / block)];
  }

  // The numbers of a weight, as it is shown.
  weight(number, largest = false) {
    const item = this.data.parameters[number];
    const where = largest ? item.largest : item.plane;
    const key = "weight" + number + largest;
    if (!this.known.has(key)) this.known.set(key, plane(this.bytes, where.at, where.n, where.d));
    return this.known.get(key);
  }
}

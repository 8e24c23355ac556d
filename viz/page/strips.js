// The tracks as heat strips: one pixel a unit and a step, drawn to the window. Canvas for these alone.
import { place as placeIn, rampOf } from "./colours.js";
import { byId } from "./dom.js";
import { ended } from "./cells.js";
import { begins } from "./axis.js";

const MOST_LINES = 90;
// A canvas that is wider than 65,535 is blank without a word.
const MOST_COLUMNS = 32768;

export class Strips {
  constructor() {
    this.known = new Map();
    this.images = [];
  }

  draw(app) {
    const canvas = byId("strips");
    const { place, state } = app;
    const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
    if (canvas.width !== Math.round(place.width * ratio) || canvas.height !== Math.round(place.height * ratio)) {
      canvas.width = Math.round(place.width * ratio);
      canvas.height = Math.round(place.height * ratio);
      canvas.style.width = place.width + "px";
      canvas.style.height = place.height + "px";
    }
    const paint = canvas.getContext("2d");
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint.clearRect(0, 0, place.width, place.height);
    if (!app.values) return;
    for (const [r, tracks] of sharing(app)) this.row(app, paint, r, tracks);
  }

  // The tracks of one loop, in the lines of those of the chosen loop.
  row(app, paint, r, tracks) {
    const { place, state } = app;
    const row = app.data.rows[r];
    const start = begins(row, app.segments);
    const from = Math.max(place.from, start);
    const to = Math.min(place.to, start + row.steps);
    if (to <= from) return;
    const long = row.steps > MOST_COLUMNS;
    const [first, last] = long ? [Math.floor(from) - start, Math.ceil(to) - start] : [0, row.steps];
    const key = [state.b, state.sat, app.dark, first, last, tracks.map((track) => track?.slot)].join();
    const known = this.known.get(r);
    const images = known?.key === key ? known.images : tracks.map((track) => track && image(app, r, track, first, last));
    this.known.set(r, { key, images });
    if (r === state.r) this.images = images;
    paint.imageSmoothingEnabled = place.pitch < 1;
    place.tracks.forEach(({ track, y, high }, number) => {
      const found = images[number];
      if (!found) return;
      paint.globalAlpha = state.g !== null && track.name !== state.g ? 0.22 : 1;
      const x = place.left + (from - place.from) * place.pitch;
      const share = found.width / (last - first);
      const [left, wide] = [(from - start - first) * share, (to - from) * share];
      paint.drawImage(found, left, 0, wide, found.height, x, y, (to - from) * place.pitch, high);
    });
    paint.globalAlpha = 1;
    this.hatch(app, paint, r, start, from, to);
  }

  hatch(app, paint, r, start, from, to) {
    const { place } = app;
    if (!app.data.rows[r].mask || !place.tracks.length) return;
    const top = place.tracks[0].y;
    paint.strokeStyle = app.dark ? "#8a9096" : "#8a8a86";
    for (let column = Math.floor(from); column < to; column++) {
      if (!ended(app, r, column - start)) continue;
      const x = place.left + (column - place.from) * place.pitch;
      paint.save();
      paint.beginPath();
      paint.rect(x, top, place.pitch, place.bottom - top);
      paint.clip();
      paint.beginPath();
      for (let at = top - place.pitch; at < place.bottom; at += 7) {
        paint.moveTo(x, at + place.pitch);
        paint.lineTo(x + place.pitch, at);
      }
      paint.stroke();
      paint.restore();
    }
  }
}

// The chosen loop with its tracks; and, of the loops before and after it, one each with its tracks of the same kinds and names.
function sharing({ data, place, state }) {
  const chosen = data.rows[state.r];
  const tracks = place.tracks.map(({ track }) => track);
  const found = [[state.r, tracks]];
  const phases = new Set(data.rows.filter((row) => row.path).map((row) => row.phase));
  phases.delete(chosen.phase);
  for (const phase of phases) {
    const r = data.rows.findIndex((row) => row.path && row.phase === phase);
    const other = data.rows[r];
    const inputs = other.tracks.filter((track) => track.kind === "input");
    let input = 0;
    found.push([r, tracks.map((track) => (track.kind === "input" ? inputs[input++] : other.tracks.find((one) => one.kind === track.kind && one.name === track.name)))]);
  }
  return found;
}

// A picture of a track from one step to another, one pixel a step and a unit; of very many units, one pixel for the mean of
// some, and of more steps than a canvas has room for, of one of several.
function image(app, r, track, from, to) {
  const { values, state } = app;
  if (!values.has(r, track.slot)) return null;
  const wide = Math.max(1, Math.min(to - from, MOST_COLUMNS));
  const count = values.count(r, track.slot);
  const lines = Math.max(1, Math.min(count, MOST_LINES));
  const each = count / lines;
  const canvas = new OffscreenCanvas(wide, lines);
  const pixels = new ImageData(wide, lines);
  const colors = new Uint32Array(pixels.data.buffer);
  const ramp = new Uint32Array(rampOf(track, app.ramps).buffer);
  const odd = new Uint32Array(Uint8Array.from([213, 94, 0, 255]).buffer)[0];
  const faint = app.state.sat && track.saturated ? track.scale : null;
  const read = values.reader(r, track.slot, state.b);
  const every = app.data.values.every;
  const table = each <= 1 && !faint && wide === to - from ? values.table(r, track.slot, state.b) : null;
  if (table) paintTable(colors, table, { from, wide, lines, scale: track.scale, ramp, odd });
  for (let column = table ? wide : 0; column < wide; column++) {
    const step = from + Math.floor((column * (to - from)) / wide);
    for (let line = 0; line < lines; line++) {
      const value = averaged(read, step - (step % every), Math.floor(line * each), Math.floor((line + 1) * each));
      if (value === undefined) continue; // this step has no such tensor
      const at = placeIn(value, track.scale);
      const color = at < 0 ? odd : ramp[at];
      colors[line * wide + column] = faint && between(value, faint) ? (color & 0xffffff) | (36 << 24) : color;
    }
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

// The same where the numbers lie one step after another.
function paintTable(colors, { numbers, base, width, first, last }, { from, wide, lines, scale: [low, high], ramp, odd }) {
  const factor = high > low ? 255 / (high - low) : 0;
  for (let column = Math.max(0, first - from); column < wide && from + column <= last; column++) {
    let at = base + (from + column - first) * width;
    for (let line = 0; line < lines; line++, at++) {
      const share = factor ? (numbers[at] - low) * factor : 128;
      const known = Number.isFinite(numbers[at]);
      colors[line * wide + column] = known ? ramp[share <= 0 ? 0 : share >= 255 ? 255 : Math.round(share)] : odd;
    }
  }
}

// Whether a number is farther than a twentieth from both ends of a gate's range.
function between(value, [low, high]) {
  return value > low + 0.05 && value < high - 0.05;
}

function averaged(read, step, from, to) {
  if (to - from <= 1) return read(step, from);
  let sum = 0;
  for (let unit = from; unit < to; unit++) {
    const value = read(step, unit);
    if (value === undefined) return undefined;
    sum += value;
  }
  return sum / (to - from);
}

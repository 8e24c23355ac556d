// Weights as heat maps: drawn once on a canvas for each theme, shown wherever they are asked for.
import { place } from "./colours.js";
import { s } from "./dom.js";

const drawn = new Map();

// A weight as a canvas of one pixel a number (or a block of numbers).
export function weightCanvas(app, number) {
  const key = number + "," + app.dark;
  if (!drawn.has(key)) drawn.set(key, painted(app, number));
  return drawn.get(key);
}

function painted(app, number) {
  const item = app.data.parameters[number];
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, item.columns);
  canvas.height = Math.max(1, item.rows);
  if (!item.rows || !item.columns) return canvas;
  const paint = canvas.getContext("2d");
  const pixels = paint.createImageData(canvas.width, canvas.height);
  const numbers = app.weights.weight(number);
  const scale = [-(item.range || 1), item.range || 1];
  for (let k = 0; k < numbers.length; k++) {
    const at = place(numbers[k], scale);
    if (at < 0) pixels.data.set([213, 94, 0, 255], k * 4);
    else pixels.data.set(app.ramps.signed.subarray(at * 4, at * 4 + 4), k * 4);
  }
  paint.putImageData(pixels, 0, 0);
  return canvas;
}

const links = new Map();

function link(app, number) {
  const key = number + "," + app.dark;
  if (!links.has(key)) links.set(key, weightCanvas(app, number).toDataURL());
  return links.get(key);
}

// A weight as SVG within an area, with lines between its sources and its gates.
export function drawWeight(app, number, { x, y, w, h: high }) {
  const item = app.data.parameters[number];
  const shown = [s("image", { x, y, width: w, height: Math.max(1, high), preserveAspectRatio: "none", href: link(app, number), class: "pixels", data: { map: number } })];
  shown.push(s("rect", { x, y, width: w, height: Math.max(1, high), fill: "none", stroke: "var(--weight)" }));
  const rows = item.blocks?.rows ?? [];
  const window = item.blocks?.window?.length ? 0 : 1;
  let below = 0;
  for (const [, size] of window ? rows.slice(0, -1) : []) {
    below += size;
    shown.push(s("path", { d: `M${x} ${y + (high * below) / item.full[0]}h${w}`, stroke: "var(--weight)", "stroke-width": 1.2 }));
  }
  let along = 0;
  const columns = item.blocks?.columns ?? [];
  for (const [name, size] of columns) {
    const [left, wide] = [x + (w * along) / item.full[1], (w * size) / item.full[1]];
    if (app.state.g !== null && app.state.g !== name && columns.some(([one]) => one === app.state.g)) {
      shown.push(s("rect", { x: left, y, width: wide, height: Math.max(1, high), fill: "var(--panel)", opacity: 0.78 }));
    }
    if (along) shown.push(s("path", { d: `M${left} ${y}v${high}`, stroke: "var(--weight)", "stroke-width": 1.2 }));
    along += size;
  }
  return shown;
}

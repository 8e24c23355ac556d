// Attention: where the steps of a decoder look back at those of its encoder.
import { begins, columnX } from "./axis.js";
import { s } from "./dom.js";
import { written } from "./numbers.js";

// The room of arcs above the cells.
export const ARCS = 30;

// Attention of the chosen step: an arc to each step that it looks back at, as dark as its weight; the largest with its number.
export function arcs(app, place) {
  const found = app.data.rows[app.state.r].attention;
  if (!found || !app.values?.has(app.state.r, found.slot)) return [];
  const source = app.data.rows[found.to];
  const row = app.data.rows[app.state.r];
  const at = app.state.t - begins(row, app.segments);
  const count = app.values.count(app.state.r, found.slot);
  const weights = Array.from({ length: count }, (_, k) => app.values.at(app.state.r, found.slot, app.state.b, at, k));
  if (at < 0 || at >= row.steps || count !== source.steps || weights.includes(undefined)) return [];
  const most = Math.max(...weights);
  const [x, y] = [columnX(place, app.state.t) + place.pitch / 2, place.rows[app.state.r].y - 12];
  const to = place.rows[found.to].y - 12;
  const lines = weights.map((weight, k) => {
    const end = columnX(place, begins(source, app.segments) + k) + place.pitch / 2;
    const top = Math.min(y, to) - ARCS;
    return s("path", { d: `M${end} ${to}C${end} ${top} ${x} ${top} ${x} ${y}`, fill: "none", stroke: "var(--state)", "stroke-width": 0.8 + 2.6 * weight, opacity: Math.max(0.12, weight / (most || 1)), data: { arc: k } }, s("title", null, `step ${k + source.first}: ${written(weight)}`));
  });
  const best = weights.indexOf(most);
  const middle = columnX(place, begins(source, app.segments) + best) + place.pitch / 2;
  return [s("g", { "clip-path": "url(#window)" }, lines, s("text", { x: middle + 5, y: to - 12, class: "s b halo2" }, written(most)))];
}

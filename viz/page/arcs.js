// Attention: where the steps of a decoder look back at those of its encoder, or the steps of a cell at the last ones before.
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
  if (at < 0 || at >= row.steps || count !== (found.past || source.steps) || weights.includes(undefined)) return [];
  // Of the past of the first steps, what lies before the first one is zeros.
  const past = weights.map((weight, k) => ({ weight, step: found.past ? at - found.past + k : k })).filter(({ step }) => step >= 0);
  if (!past.length) return [];
  const best = past.reduce((one, other) => (other.weight > one.weight ? other : one));
  const [x, y] = [columnX(place, app.state.t) + place.pitch / 2, place.rows[app.state.r].y - 12];
  const to = place.rows[found.to].y - 12;
  const top = Math.min(y, to) - ARCS;
  const middle = (step) => columnX(place, begins(source, app.segments) + step) + place.pitch / 2;
  const lines = past.map(({ weight, step }) => s("path", { d: `M${middle(step)} ${to}C${middle(step)} ${top} ${x} ${top} ${x} ${y}`, fill: "none", stroke: "var(--state)", "stroke-width": 0.8 + 2.6 * weight, opacity: Math.max(0.12, weight / (best.weight || 1)), data: { arc: step } }, s("title", null, `step ${step + source.first}: ${written(weight)}`)));
  return [s("g", { "clip-path": "url(#window)" }, lines, s("text", { x: middle(best.step) + 6, y: to + 9, class: "s b halo2" }, written(best.weight)))];
}

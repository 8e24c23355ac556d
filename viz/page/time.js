// The time axis: rows of cells, with tracks of the chosen row under them in the same columns.
import { ARCS, arcs } from "./arcs.js";
import { begins, columnX, detail, segmentAt, ticks } from "./axis.js";
import { byId, counted, fill, s, visible } from "./dom.js";
import { dimmed } from "./selection.js";
import { trackTexts } from "./tracks.js";
import { cells } from "./cells.js";

const HEAD = 26;
const CELL = 54;
const BETWEEN_ROWS = 34;
// Of more tracks than this each is as low as can be read.
const MANY_TRACKS = 8;

// The places of everything on the axis, for a width of the window.
export function geometry(app, width) {
  const { data, state } = app;
  const narrow = width < 640;
  const left = narrow ? 52 : 128;
  const right = !narrow ? 84 : data.rows.some((row) => row.backward) ? 44 : 22; // a walk backward begins at the right
  const [from, to] = state.view;
  const pitch = Math.max(1, width - left - right) / (to - from); // a frame may be narrower than the gutters
  const tall = data.rows.length > 2 ? 40 : CELL;
  const order = lines(data.rows);
  const TOP = data.rows[state.r].attention && app.values ? HEAD + ARCS : HEAD;
  const rows = data.rows.map((row, r) => ({ y: TOP + 12 + (order.count - 1 - order.of[r]) * (tall + BETWEEN_ROWS), tall, row, r, ...arrowsOf(data.rows, order, r) }));
  let y = TOP + 12 + order.count * (tall + BETWEEN_ROWS);
  const held = app.values ? data.rows[state.r].tracks : []; // without feeds there is nothing to show over time
  const tracks = held.map((track) => {
    const count = app.values.count(state.r, track.slot);
    const high = Math.round(Math.max(held.length > MANY_TRACKS ? 16 : 20, Math.min(track.kind === "input" ? 45 : 36, count * (track.kind === "input" ? 1.6 : 2.8))));
    const found = { track, count, y, high };
    y += high + (track.kind === "input" ? 8 : 4);
    return found;
  });
  if (!app.values) y += 22;
  return { width, narrow, left, right, pitch, rows, tracks, bottom: y, height: y + 16, from, to };
}

// Rows of one phase stand over each other, from the first layer at the bottom; those of another phase beside them.
function lines(rows) {
  const held = new Map();
  const of = rows.map((row) => {
    if (!row.path) return 0;
    const line = held.get(row.phase) ?? 0;
    held.set(row.phase, line + 1);
    return line;
  });
  return { of, count: Math.max(0, ...held.values()) };
}

// How long the arrows out of a row are and those into it: a row that reads the one under it has one arrow all the way, from
// cell to cell; of rows that only stand over each other, as two directions do, each keeps its arrows for itself.
function arrowsOf(all, order, r) {
  const at = (line) => all.findIndex((row, other) => row.path && row.phase === all[r].phase && order.of[other] === line);
  const [above, under] = [at(order.of[r] + 1), at(order.of[r] - 1)];
  const out = above < 0 ? 11 : all[above].reads.includes(r) ? 0 : 8;
  return { out, into: under < 0 ? 20 : all[r].reads.includes(under) ? BETWEEN_ROWS : 8 };
}

// The SVG of all rows, drawn again when the window, the row or the focus changes.
export function drawRows(app) {
  const place = app.place;
  const net = byId("net");
  const shown = [];
  const clip = s("clipPath", { id: "window" }, s("rect", { x: place.left - 1, y: 0, width: place.width - place.left - place.right + 2, height: place.height }));
  const [begin, end] = [place.left - (place.from <= 0 ? 36 : 2), place.width - place.right + (place.to >= app.columns ? 40 : 2)];
  const clipRows = s("clipPath", { id: "rows" }, s("rect", { x: begin, y: 0, width: end - begin, height: place.height }));
  shown.push(s("defs", null, hatching(), clip, clipRows));
  shown.push(...numbers(app, place));
  for (const line of place.rows) shown.push(...row(app, place, line));
  if (!place.narrow) shown.push(...rowNames(app, place));
  shown.push(...trackTexts(app, place));
  shown.push(...arcs(app, place));
  net.setAttribute("width", place.width);
  net.setAttribute("height", place.height);
  fill(net, shown);
}

function hatching() {
  const line = s("path", { d: "M-1 7 7 -1M-2 2 2 -2M4 8 8 4", stroke: "var(--faint)", "stroke-width": 1 });
  return s("pattern", { id: "ended", width: 6, height: 6, patternUnits: "userSpaceOnUse" }, line);
}

function numbers(app, place) {
  const every = ticks(place.pitch, app.columns > 999 ? 38 : 24);
  const texts = [];
  const shown = (step, column) => {
    const middle = columnX(place, column) + place.pitch / 2;
    if (middle < place.left + 8 && place.from > 0) return; // it would be cut
    texts.push(s("text", { x: middle, y: 17, "text-anchor": "middle", class: "m s" }, String(step)));
  };
  for (const { offset, first, count } of app.segments) {
    const from = Math.max(0, Math.floor(place.from) - offset) + first;
    const to = Math.min(count, Math.ceil(place.to) - offset) + first;
    if (from === first && first % every && to > from && place.pitch > 24) shown(first, offset);
    for (let step = Math.ceil(from / every) * every; step < to; step += every) shown(step, offset + step - first);
  }
  const title = s("text", { x: place.narrow ? 8 : 14, y: 17, class: "m s" }, place.narrow ? "t" : "timestep t");
  const dividers = app.segments.slice(1).map((segment) => {
    const x = columnX(place, segment.offset);
    return s("path", { d: `M${x} 4V${place.bottom}`, stroke: "var(--scopeline)", "stroke-dasharray": "3 3" });
  });
  return [title, s("g", { "clip-path": "url(#window)" }, texts, dividers)];
}

function row(app, place, { y, tall, row: loop, r, out, into }) {
  const shown = [];
  const start = begins(loop, app.segments);
  const from = Math.max(start, Math.floor(place.from));
  const to = Math.min(start + loop.steps, Math.ceil(place.to));
  if (!loop.path) return [];
  const chosen = r === app.state.r;
  const [first, last] = [columnX(place, start), columnX(place, start + loop.steps)];
  const body = [];
  const mode = detail(place.pitch);
  const wide = place.pitch >= 14 ? Math.min(place.pitch * 0.74, 26 + (place.pitch > 80 ? place.pitch * 0.6 : 0)) : place.pitch * 0.72;
  const lanes = laneHeights(loop, tall);
  const [before, behind] = [start > 0 && !loop.backward ? 2 : loop.backward ? 6 : 34, loop.backward ? 34 : start + loop.steps < app.columns ? 1 : 6];
  body.push(s("rect", { x: first - before, y: y - 9, width: last - first + before + behind, height: tall + 18, rx: 8, fill: "var(--scope)", stroke: chosen ? "var(--cellline)" : "var(--scopeline)" }));
  if (mode === "band") body.push(...band(app, place, loop, y, tall, Math.max(first, columnX(place, from)), Math.min(last, columnX(place, to))));
  else body.push(...cells(app, place, { loop, r, start, from, to, y, tall, wide, mode, lanes, out, into }));
  body.push(...ends(app, loop, start, lanes, y, first, last));
  const label = `${counted(loop.steps, "step")} of ${loop.title}`;
  shown.push(s("g", { "clip-path": "url(#rows)", role: "img", "aria-label": visible(label), data: { row: r } }, body));
  for (const [lane, name] of lanes.map((lane, k) => [lane, loop.states[k]])) {
    const at = loop.backward ? first - 40 : last + 24;
    if (place.narrow || loop.backward || last > place.width - place.right + 4) continue;
    shown.push(s("text", { x: at, y: y + lane + 4, class: "b s" }, visible(name, 10)));
  }
  return shown;
}

function laneHeights(loop, tall) {
  const count = loop.states.length;
  const margin = count > 3 ? 0.04 : count > 2 ? 0.12 : 0.26;
  return loop.states.map((_, k) => (count === 1 ? tall / 2 : tall * (margin + ((1 - 2 * margin) * k) / (count - 1))));
}

// The names of rows at the left: of loops that stand beside each other, that of the chosen one or the first.
function rowNames(app, place) {
  const named = new Map();
  for (const line of place.rows.filter((one) => one.row.path)) {
    if (!named.has(line.y) || line.r === app.state.r) named.set(line.y, line);
  }
  return [...named.values()].flatMap(({ row: loop, r, y, tall }) => rowName(app, loop, r, y, tall, r === app.state.r));
}

function rowName(app, loop, r, y, tall, chosen) {
  const words = visible(loop.title, 40).split(/(?<=_| )/);
  const lines = [];
  for (const word of words) {
    if (lines.length && (lines[lines.length - 1] + word).length <= 15) lines[lines.length - 1] += word;
    else lines.push(visible(word, 15));
  }
  const kept = lines.slice(0, 3);
  const middle = y + tall / 2 - (kept.length * 13 + 13) / 2 + 10;
  const texts = kept.map((text, k) => s("text", { x: 8, y: middle + 13 * k, class: text.length > 12 ? "b xs" : "b s" }, text));
  const note = (loop.units ? counted(loop.units, "unit") : "") + (loop.backward ? " ←" : "") + (loop.call ? ` · call ${loop.call}` : "");
  texts.push(s("text", { x: 8, y: middle + 13 * kept.length, class: "m s" }, note));
  return [s("g", { class: chosen ? "rowname on" : "rowname", data: { row: r } }, texts)];
}

function band(app, place, loop, y, tall, x, end) {
  const shown = [s("rect", { x, y, width: Math.max(1, end - x), height: tall, rx: 4, fill: "var(--cell)", stroke: "var(--cellline)" })];
  const gates = loop.gates.filter((gate) => gate.color !== null);
  const high = (tall - 8) / Math.max(1, gates.length);
  gates.forEach((gate, k) => {
    shown.push(s("rect", { x: x + 3, y: y + 4 + high * k, width: Math.max(1, end - x - 6), height: high - 1.8, rx: 1.5, fill: `var(--g${gate.color})`, class: dimmed(app, gate.name), data: { g: gate.name } }));
  });
  const count = Math.round((end - x) / place.pitch).toLocaleString("en");
  shown.push(s("text", { x: (x + end) / 2, y: y + tall / 2 + 4, "text-anchor": "middle", class: "b halo" }, `${count} × ${visible(loop.title, 30)}`));
  return shown;
}

// The template of a step, counted from the first.
export function templateAt(loop, step) {
  const run = loop.runs.find(([, first, last]) => step + loop.first >= first && step + loop.first <= last);
  return run ? run[0] : 0;
}

function ends(app, loop, start, lanes, y, first, last) {
  const at = loop.backward ? last : first;
  const out = loop.backward ? first : last;
  const template = loop.templates[templateAt(loop, loop.backward ? loop.steps - 1 : 0)];
  return lanes.flatMap((lane, k) => {
    const source = template.sources.find((one) => one.name === loop.states[k] && (one.kind === "zero" || one.kind === "first"));
    const x = loop.backward ? at + 20 : at - 20;
    const further = loop.backward ? start > 0 : start + loop.steps < app.columns;
    const shown = further ? [] : [s("path", { d: loop.backward ? `M${out} ${y + lane}H${out - 20}` : `M${out} ${y + lane}H${out + 20}`, stroke: "var(--state)", "stroke-width": 1.6, "marker-end": "url(#arrow)" })];
    if (source && (loop.backward || start === 0)) {
      shown.push(s("circle", { cx: x, cy: y + lane, r: lanes.length > 2 ? 6 : 8, fill: "var(--page)", stroke: "var(--opline)" }));
      const text = source.kind === "zero" ? "0" : "•";
      shown.push(s("text", { x, y: y + lane + 3.8, "text-anchor": "middle", class: "s b" }, text));
    }
    return shown;
  });
}

// The playhead over all tracks, and the lens that ties it to the opened cell.
export function drawPlayhead(app) {
  const { place, state } = app;
  const over = byId("over");
  over.setAttribute("width", place.width);
  over.setAttribute("height", place.height);
  if (state.t + 1 < place.from || state.t >= place.to || !app.data.rows[state.r].path) {
    over.replaceChildren();
    return;
  }
  const wide = Math.max(place.pitch, 3);
  const x = columnX(place, state.t) + (place.pitch - wide) / 2;
  const segment = segmentAt(state.t, app.segments);
  const text = String(state.t - segment.offset + segment.first);
  const pill = 12 + 8 * text.length;
  const shown = [
    s("rect", { x: x + wide / 2 - pill / 2, y: 4, width: pill, height: 18, rx: 9, fill: "var(--play)" }),
    s("text", { x: x + wide / 2, y: 17, "text-anchor": "middle", class: "s b onplay" }, text),
  ];
  const line = place.rows[state.r];
  shown.push(s("rect", { x: x + 0.5, y: line.y - 5, width: wide - 1, height: line.tall + 10, rx: 4, fill: "none", stroke: "var(--play)", "stroke-width": 1.6 }));
  const top = place.tracks[0]?.y ?? place.bottom;
  shown.push(s("rect", { x: x + 0.5, y: top - 2, width: wide - 1, height: Math.max(0, place.bottom - top), fill: "none", stroke: "var(--play)", "stroke-width": 1.6, rx: 2 }));
  for (const { track, y, high, count } of app.values ? place.tracks : []) {
    if (track.kind === "input" || state.u >= count) continue;
    const unit = high / count;
    shown.push(s("rect", { x: x + 0.8, y: y + state.u * unit - 0.4, width: wide - 1.6, height: unit + 0.8, fill: "none", stroke: "var(--play)" }));
    shown.push(s("path", { d: `M${place.left - 6} ${y + (state.u + 0.5) * unit - 3}l5 3l-5 3z`, fill: "var(--play)" }));
  }
  const foot = place.height;
  shown.push(s("path", { d: `M${x} ${place.bottom - 4}L0 ${foot}H${place.width}L${x + wide} ${place.bottom - 4}z`, fill: "var(--lens)" }));
  shown.push(s("path", { d: `M${x} ${place.bottom - 4}L0 ${foot}M${x + wide} ${place.bottom - 4}L${place.width} ${foot}`, fill: "none", stroke: "var(--cellline)", "stroke-width": 0.8, opacity: 0.5 }));
  fill(over, shown);
}

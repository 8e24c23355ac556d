// The opened cell: the operators of the chosen step, with their values, laid out once for all steps like it.
import { boxOf, marked, strip, trackOf } from "./boxes.js";
import { byId, counted, fill, s, visible } from "./dom.js";
import { folds, reach, seen } from "./folding.js";
import { formulaText } from "./operands.js";
import { dimmed } from "./selection.js";
import { templateAt } from "./time.js";

// The room of a title, under a cell, and between its pieces.
const TITLE = 34;
const FOOT = 20;
const BETWEEN = 26;
const LEAST = 212;
// Never smaller than can be read, nor larger than the labels around it.
const SMALLEST = 0.62;
const LARGEST = 1.2;
const LEAST_OF_WIDTH = 0.94;
// In a window less wide than this little is said beside the title.
const NARROW = 640;

// Draw the chosen step; of a graph without steps all of it, with the bodies of its loops under it.
export function drawCell(app) {
  const { state, data } = app;
  const panel = byId("cell");
  const svg = byId("open");
  const wide = panel.clientWidth - 28;
  const views = shownRows(data, state.r).map((r) => viewOf(app, r, wide));
  const all = views.flatMap((view) => view.folds);
  const widest = Math.max(1, ...all.map(([from, to]) => to - from));
  const tallest = all.reduce((sum, fold) => sum + fold.high, 1);
  const above = views.reduce((sum, view) => sum + TITLE + FOOT + (view.folds.length - 1) * BETWEEN, 0);
  const room = roomUnder(panel);
  const scale = scaleFor(wide / widest, (room - above) / tallest);
  const needed = above + (tallest - 1) * scale;
  const height = Math.max(room, Math.ceil(needed));
  svg.setAttribute("width", panel.clientWidth);
  svg.setAttribute("height", height);
  let top = Math.max(0, (height - needed) / 2 / Math.max(1, views.length));
  const shown = views.map((view, k) => {
    const title = titleOf(view, k ? top + 22 : 22, panel.clientWidth < NARROW);
    top += TITLE;
    const bands = view.folds.map((fold, at) => {
      const y = top;
      top += fold.high * scale + (at + 1 < view.folds.length ? BETWEEN : FOOT);
      return bandOf(view, fold, at, { width: panel.clientWidth, y, scale });
    });
    return [title, ...bands];
  });
  const told = views.map((view) => `${view.title}: ${view.note}. ${described(view)}`).join(" ");
  fill(svg, [s("title", null, `The operators of ${views[0].title}`), s("desc", null, told), s("defs", null, arrowhead()), ...shown.flat()]);
}

// How large a cell is drawn: as its window is wide, and a little less where that spares scrolling.
function scaleFor(across, down) {
  const most = Math.min(LARGEST, across);
  return Math.max(SMALLEST, Math.min(most, Math.max(Math.min(1, most) * LEAST_OF_WIDTH, down)));
}

// The height that is left under the axis on the first screen; where everything stands below one another, the least.
function roomUnder(panel) {
  const left = byId("left");
  const others = byId("pipe").offsetHeight + (byId("time").hidden ? 0 : byId("time").offsetHeight);
  return getComputedStyle(panel).flexGrow === "0" ? LEAST : Math.max(LEAST, left.clientHeight - others);
}

function titleOf(view, y, narrow) {
  const [name, note] = narrow ? [visible(view.title, 30), view.count] : [view.title, view.note];
  return s("text", { x: 14, y, class: "b" }, name, s("tspan", { class: "m s", dx: 14 }, note));
}

// One piece of a cell, with lines where it is cut.
function bandOf(view, fold, at, { width, y, scale }) {
  const [from, to] = fold;
  const shift = Math.max(14, (width - (to - from) * scale) / 2);
  const place = `translate(${shift},${y}) scale(${scale})`;
  if (view.folds.length === 1) return s("g", { transform: place, data: { row: view.r } }, pieces(view, fold));
  const [top, high] = [fold.top - 8, fold.high + 16];
  const id = `fold-${view.r}-${at}`;
  const clip = s("clipPath", { id }, s("rect", { x: from, y: top, width: to - from, height: high }));
  const cuts = [at ? from : null, at + 1 < view.folds.length ? to : null].filter((x) => x !== null);
  const lines = cuts.map((x) => s("path", { d: `M${x} ${top}v${high}`, stroke: "var(--opline)", "stroke-dasharray": "2 4" }));
  const moved = `${place} translate(${-from},${-fold.top})`;
  return s("g", { transform: moved, data: { row: view.r, fold: at } }, clip, lines, s("g", { "clip-path": `url(#${id})` }, pieces(view, fold)));
}

// The rows whose operators are shown: the chosen loop, or all that is at no step.
function shownRows(data, chosen) {
  if (data.rows[chosen].path) return [chosen];
  return data.rows.flatMap((row, r) => (row.path ? [] : [r]));
}

function viewOf(app, r, wide) {
  const row = app.data.rows[r];
  const step = r === app.state.r ? app.step() : row.first;
  const template = row.templates[templateAt(row, step - row.first)];
  const title = row.path ? visible(app.cellName(row, step), 60) + (row.call ? `, call ${row.call}` : "") : visible(row.body ? `in each step of ${row.body}` : app.data.title, 60);
  const all = template.ops.length + row.left_out;
  const some = row.left_out ? `, the first and the last ${(template.ops.length / 2).toLocaleString("en")} of them shown` : "";
  const count = counted(all, "operator");
  const note = !all ? (row.path ? `the operators of step ${step} are not in the page: too many steps differ` : "no operators") : `${count}${some}` + (row.path ? `, step ${step} of ${row.steps.toLocaleString("en")}` : "");
  const found = folds(template, wide, SMALLEST);
  for (const fold of found) {
    const [top, bottom] = found.length > 1 ? reach(fold, template) : [0, template.h];
    Object.assign(fold, { top, high: bottom - top });
  }
  return { app, r, row, template, step, title, note, count: all ? count : row.path ? "not in the page" : note, folds: found };
}

function pieces(view, fold) {
  const { template } = view;
  const among = { source: template.sources, box: template.boxes, port: template.ports };
  const within = ({ x, w }) => x !== undefined && seen(fold, x, x + w);
  const passes = ({ from, to }) => seen(fold, among[from[0]][from[1]].x, among[to[0]][to[1]].x);
  return [
    ...template.wires.map((wire, at) => (passes(wire) ? wireOf(view, wire, at) : null)),
    ...template.sources.map((source, at) => (within(source) ? sourceOf(view, source, at) : null)),
    ...template.boxes.map((box, at) => (within(box) ? boxOf(view, box, at) : null)),
    ...template.ports.map((port, at) => (within(port) ? portOf(view, port, at) : null)),
  ];
}

function arrowhead() {
  const head = s("path", { d: "M0 .8 8 4 0 7.2z", fill: "context-stroke" });
  return s("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 6, markerHeight: 6, orient: "auto-start-reverse" }, head);
}

function described({ app, template, step }) {
  return template.boxes
    .filter((box) => box.formula && box.kind !== "op")
    .map((box) => `${box.label} = ${formulaText(app, template, box.formula, step)}`)
    .join("; ");
}

// A wire, and a broad line over it that the pointer can meet.
function wireOf(view, wire, at) {
  const gate = wire.gate ?? null;
  const color = gate !== null && wire.color !== null && wire.color !== undefined ? `d${wire.color}` : wire.state ? "state" : "line";
  const on = view.app.path.size && view.app.path.has(wire.from.join()) && view.app.path.has(wire.to.join());
  const off = view.app.path.size && !on ? "off" : null;
  const classes = [gate !== null ? dimmed(view.app, gate) : null, off].filter(Boolean).join(" ") || null;
  return [
    s("path", { d: wire.d, fill: "none", stroke: `var(--${color})`, "stroke-width": gate !== null ? 2 : 1.5, "marker-end": "url(#arrow)", class: classes }),
    s("path", { d: wire.d, fill: "none", stroke: "transparent", "stroke-width": 11, "pointer-events": "stroke", data: { wire: at } }),
  ];
}

function sourceOf(view, source, at) {
  if (source.x === undefined) return null;
  const { step } = view;
  if (source.kind === "weight") {
    const name = visible(source.name, 24);
    return s("g", { class: marked(view, `source,${at}`), data: { weight: source.weights[0] ?? "", key: `source,${at}` } },
      s("rect", { x: source.x, y: source.y, width: source.w, height: source.h, rx: 5, fill: "var(--panel)", stroke: "var(--weight)" }),
      s("text", { x: source.x + source.w / 2, y: source.y + source.h / 2 + 4, "text-anchor": "middle", class: "s weight" }, name));
  }
  const from = source.kind === "state" ? `from t = ${step - source.back}` : source.kind === "zero" ? (source.name === "zero" ? "" : "zero") : source.from && source.from !== "input" ? `from ${source.from}` : "";
  const name = visible(source.name, 10);
  const room = Math.floor((source.w - 12 - 7 * name.length) / 5.6);
  const label = s("text", { x: source.x, y: source.y + 11 }, s("tspan", { class: "b" }, name), s("tspan", { class: "m s", dx: 4 }, from.length <= room ? from : source.kind === "state" ? from.slice(5) : room > 8 ? visible(from, room) : ""));
  const frame = { x: source.x + 0.5, y: source.y + 17, w: source.w - 6, h: 11 };
  const when = step - (source.back ?? 0);
  const parts = source.kind === "zero" ? alone(frame, "0", "zero") : lone(view, source.slot, when, frame) ?? strip(view, source.slot, when, frame, trackOf(view, source.slot));
  const end = s("path", { d: `M${source.x + source.w - 5} ${source.y + source.h / 2}h5`, stroke: "none" });
  return s("g", { class: marked(view, `source,${at}`), data: { key: `source,${at}` } }, label, parts, end);
}

// A tensor of one number, such as a mask or a length, is that number.
function lone({ app, r, row }, slot, step, frame) {
  const value = app.values && app.values.count(r, slot) === 1 ? app.values.at(r, slot, app.state.b, step - row.first, 0) : undefined;
  return value === undefined ? null : alone(frame, app.values.written(r, slot, value), "page");
}

function alone({ x, y, w, h: high }, text, ground) {
  return [
    s("rect", { x, y, width: w, height: high + 1, fill: `var(--${ground})`, stroke: "var(--opline)", "stroke-width": 0.8 }),
    s("text", { x: x + w / 2, y: y + 9.5, "text-anchor": "middle", class: "m s" }, text),
  ];
}

function portOf(view, port, at) {
  const { row, step } = view;
  const next = row.backward ? step - 1 : step + 1;
  const inside = next >= row.first && next < row.first + row.steps;
  const words = port.kind !== "handed" ? "output" : inside ? `to t = ${next}` : "last state";
  const more = port.kind === "handed" && port.given ? ", output" : "";
  return s("g", { class: marked(view, `port,${at}`), data: { key: `port,${at}` } },
    s("text", { x: port.x + 5, y: port.y + port.h / 2 + 4 }, s("tspan", { class: "b" }, visible(port.name, 24)), s("tspan", { class: "m s", dx: 4 }, words + more)));
}

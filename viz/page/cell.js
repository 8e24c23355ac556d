// The opened cell: the operators of the chosen step, with their values, laid out once for all steps like it.
import { css, rampOf } from "./colours.js";
import { byId, fill, s, visible } from "./dom.js";
import { formulaText } from "./operands.js";
import { templateAt } from "./time.js";
import { drawWeight } from "./weights.js";
import { dimmed, gateNamed } from "./selection.js";

const TITLE = 34;
const MOST_FIELDS = 64;
// Never smaller than can be read, nor larger than the labels around it.
const SMALLEST = 0.62;
const LARGEST = 1.2;
// In a window less wide than this little is said beside the title.
const NARROW = 640;

// Draw the chosen step; of a graph without steps all of it, with the bodies of its loops under it.
export function drawCell(app) {
  const { state, data } = app;
  const panel = byId("cell");
  const svg = byId("open");
  const views = shownRows(data, state.r).map((r) => viewOf(app, r));
  const wide = panel.clientWidth - 28;
  const widest = Math.max(1, ...views.map((view) => view.template.w));
  const tallest = views.reduce((sum, view) => sum + view.template.h, 1);
  const room = panel.clientHeight - 1 - views.length * (TITLE + 22);
  const scale = Math.max(SMALLEST, Math.min(1, wide / widest), Math.min(LARGEST, wide / widest, room / tallest));
  const cut = widest * scale > wide + 1;
  const width = Math.max(panel.clientWidth, widest * scale + 28);
  const needed = views.reduce((sum, view) => sum + TITLE + view.template.h * scale + 22, 0);
  const height = Math.max(panel.clientHeight - 1, needed);
  panel.style.minHeight = Math.min(needed + 12, data.rows[state.r].path ? 560 : 2000) + "px";
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  let top = Math.max(0, (height - needed) / 2 / Math.max(1, views.length));
  const shown = views.map((view, k) => {
    const shift = Math.max(14, (width - view.template.w * scale) / 2);
    const place = `translate(${shift},${top + TITLE}) scale(${scale})`;
    const [name, note] = panel.clientWidth < NARROW ? [visible(view.title, 30), (cut ? "scroll → · " : "") + view.count] : [view.title, (cut ? "scroll sideways → · " : "") + view.note];
    const title = s("text", { x: 14, y: k ? top + 22 : 22, class: "b" }, name, s("tspan", { class: "m s", dx: 14 }, note));
    top += TITLE + view.template.h * scale + 22;
    return [title, s("g", { transform: place, data: { row: view.r } }, pieces(view))];
  });
  const told = views.map((view) => `${view.title}: ${view.note}. ${described(view)}`).join(" ");
  fill(svg, [s("title", null, `The operators of ${views[0].title}`), s("desc", null, told), s("defs", null, arrowhead()), ...shown.flat()]);
}

// The rows whose operators are shown: the chosen loop, or all that is at no step.
function shownRows(data, chosen) {
  if (data.rows[chosen].path) return [chosen];
  return data.rows.flatMap((row, r) => (row.path ? [] : [r]));
}

function viewOf(app, r) {
  const row = app.data.rows[r];
  const step = r === app.state.r ? app.step() : row.first;
  const template = row.templates[templateAt(row, step - row.first)];
  const title = row.path ? visible(app.cellName(row, step), 60) : visible(row.body ? `in each step of ${row.body}` : app.data.title, 60);
  const all = template.ops.length + row.left_out;
  const some = row.left_out ? `, the first and the last ${(template.ops.length / 2).toLocaleString("en")} of them shown` : "";
  const count = `${all.toLocaleString("en")} operator${all === 1 ? "" : "s"}`;
  const note = !all ? `the operators of step ${step} are not in the page: too many steps differ` : `${count}${some}` + (row.path ? `, step ${step} of ${row.steps.toLocaleString("en")}` : "");
  return { app, r, row, template, step, title, note, count: all ? count : note };
}

function pieces(view) {
  const { template } = view;
  return [
    ...template.wires.map((wire, at) => wireOf(view, wire, at)),
    ...template.sources.map((source, at) => sourceOf(view, source, at)),
    ...template.boxes.map((box, at) => boxOf(view, box, at)),
    ...template.ports.map((port, at) => portOf(view, port, at)),
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

function marked(view, key) {
  const path = view.app.path;
  return view.r === view.app.state.r && path.size && !path.has(key) ? "off" : null;
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

// The values of a tensor at a step, as fields beside one another; the chosen unit has a frame.
function strip(view, slot, step, at, track) {
  const { app, r, row } = view;
  const { values, state } = app;
  const { x, y, w, h: high } = at;
  const frame = s("rect", { x: x - 0.5, y: y - 0.5, width: w + 1, height: high + 1, fill: "none", stroke: "var(--opline)", "stroke-width": 0.8 });
  if (!values || values.at(r, slot, state.b, step - row.first, 0) === undefined) return [frame];
  const count = values.count(r, slot);
  const fields = Math.min(count, MOST_FIELDS);
  const each = w / fields;
  const scale = track?.scale ?? scaleOf(view, slot, step, count);
  const ramp = track ? rampOf(track, app.ramps) : app.ramps.signed;
  const shown = [];
  for (let field = 0; field < fields; field++) {
    const unit = Math.floor((field * count) / fields);
    const value = values.at(r, slot, state.b, step - row.first, unit);
    shown.push(s("rect", { x: x + field * each, y, width: each + 0.3, height: high, fill: css(ramp, value, scale) }));
  }
  const unit = Math.floor((state.u * fields) / count);
  const units = count > 1 && state.u < count;
  const mark = units ? s("rect", { x: x + unit * each - 0.6, y: y - 1.6, width: each + 1.2, height: high + 3.2, fill: "none", stroke: "var(--play)", "stroke-width": 1.4 }) : null;
  return [s("g", { "shape-rendering": "crispEdges" }, shown), frame, mark];
}

function scaleOf({ app, r, row }, slot, step, count) {
  let end = 0;
  for (let unit = 0; unit < count; unit++) end = Math.max(end, Math.abs(app.values.at(r, slot, app.state.b, step - row.first, unit)) || 0);
  return [-(end || 1), end || 1];
}

function trackOf(view, slot) {
  return view.row.tracks.find((track) => track.slot === slot && track.scale);
}

function sourceOf(view, source, at) {
  if (source.x === undefined) return null;
  const { row, step } = view;
  if (source.kind === "weight") {
    const name = visible(source.name, 24);
    return s("g", { class: marked(view, `source,${at}`), data: { weight: source.weights[0] ?? "", key: `source,${at}` } },
      s("rect", { x: source.x, y: source.y, width: source.w, height: source.h, rx: 5, fill: "var(--panel)", stroke: "var(--weight)" }),
      s("text", { x: source.x + source.w / 2, y: source.y + source.h / 2 + 4, "text-anchor": "middle", class: "s weight" }, name));
  }
  const from = source.kind === "state" ? `from t = ${step - source.back}` : source.kind === "zero" ? (source.name === "zero" ? "" : "zero") : source.from && source.from !== "input" ? `from ${source.from}` : "";
  const label = s("text", { x: source.x, y: source.y + 11 }, s("tspan", { class: "b" }, visible(source.name, 10)), s("tspan", { class: "m s", dx: 4 }, visible(from, 14)));
  const frame = { x: source.x + 0.5, y: source.y + 17, w: source.w - 6, h: 11 };
  const when = step - (source.back ?? 0);
  const parts = source.kind === "zero" ? zeros(frame) : strip(view, source.slot, when, frame, trackOf(view, source.slot));
  const end = s("path", { d: `M${source.x + source.w - 5} ${source.y + source.h / 2}h5`, stroke: "none" });
  return s("g", { class: marked(view, `source,${at}`), data: { key: `source,${at}` } }, row.path ? label : label, parts, end);
}

function zeros({ x, y, w, h: high }) {
  return [
    s("rect", { x, y, width: w, height: high, fill: "var(--zero)", stroke: "var(--opline)", "stroke-width": 0.8 }),
    s("text", { x: x + w / 2, y: y + 9, "text-anchor": "middle", class: "m s" }, "0"),
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

function boxOf(view, box, at) {
  const { app } = view;
  const gate = box.gate ?? null;
  const known = box.color !== null && box.color !== undefined;
  const key = `box,${at}`;
  const chosen = app.state.r === view.r && app.state.o === at ? "on" : null;
  const classes = ["box", gate !== null ? dimmed(app, gate) : null, marked(view, key), chosen].filter(Boolean).join(" ");
  const looks = { gate: gateBox, gates: gatesBox, named: gateBox, kernel: kernelBox, sign: signBox, op: operatorBox };
  const data = { key, box: at, ...(gate !== null && box.kind !== "kernel" ? { g: gate } : {}), ...(box.parts ? { parts: box.parts.length } : {}) };
  const label = box.formula ? `${box.label} = ${formulaText(app, view.template, box.formula, view.step)}` : box.label;
  return s("g", { class: classes, data, tabindex: 0, role: "button", "aria-label": visible(label || "kernel", 80) }, looks[box.kind](view, box, known));
}

// Several gates that are computed at once: a box for each, over one another.
function gatesBox(view, box) {
  const { app } = view;
  return box.parts.map((part) => s("g", { class: dimmed(app, part.gate), data: { g: part.gate } }, gateBox(view, part, part.color !== null && part.color !== undefined)));
}

function gateBox(view, box, known) {
  const { app, template, step, r, row } = view;
  const fill = known ? `g${box.color}` : box.kind === "named" ? "cell" : "op";
  const line = known ? `d${box.color}` : box.kind === "named" ? "cellline" : "opline";
  const formula = box.formula && !template.narrow ? ` = ${formulaText(app, template, box.formula, step)}` : "";
  const shown = [
    s("rect", { x: box.x, y: box.y, width: box.w, height: box.h, rx: 6, fill: `var(--${fill})`, stroke: `var(--${line})` }),
    s("text", { x: box.x + 8, y: box.y + 15 }, s("tspan", { class: "b" }, lowered(visible(box.label, 24))), lowered(visible(formula, 40))),
  ];
  if (box.slot !== undefined) {
    const value = app.values?.at(r, box.slot, app.state.b, step - row.first, app.state.u);
    if (value !== undefined) {
      const text = app.values.written(r, box.slot, value);
      shown.push(s("text", { x: box.x + box.w - 7, y: box.y + 15, "text-anchor": "end", class: "b s", data: { value: box.label } }, text));
    }
    shown.push(...strip(view, box.slot, step, { x: box.x + 8, y: box.y + 21, w: box.w - 16, h: 9 }, trackOf(view, box.slot)));
  }
  return shown;
}

// Text in which an index, as of z_f, stands lower.
function lowered(text) {
  const shown = [];
  let low = false;
  for (const part of text.split(/(?<=\bz)_(\w+)/)) {
    if (low) shown.push(s("tspan", { class: "s", dy: 3 }, part), s("tspan", { dy: -3 }, "\u200b"));
    else if (part) shown.push(part);
    low = !low;
  }
  return shown;
}

function signBox(view, box, known) {
  const [x, y] = [box.x + box.w / 2, box.y + box.h / 2];
  return [s("circle", { cx: x, cy: y, r: 11.5, ...colours(box, known) }), s("text", { x, y: y + 4.5, "text-anchor": "middle", class: "b" }, box.label)];
}

function colours(box, known) {
  return { fill: `var(--${known ? `g${box.color}` : "op"})`, stroke: `var(--${known ? `d${box.color}` : "opline"})` };
}

function operatorBox(view, box, known) {
  const text = box.formula ? formulaText(view.app, view.template, box.formula, view.step) : box.label;
  const each = (box.w - 8) / (box.colors?.length || 1);
  const marks = (box.colors ?? []).map((color, k) => (color === null ? null : s("rect", { x: box.x + 4 + k * each, y: box.y + box.h - 5.5, width: each, height: 3.5, fill: `var(--d${color})` })));
  return [
    s("rect", { x: box.x, y: box.y, width: box.w, height: box.h, rx: 6, ...colours(box, known) }),
    marks,
    s("text", { x: box.x + box.w / 2, y: box.y + box.h / 2 + 4, "text-anchor": "middle", class: "b" }, visible(text, 40)),
  ];
}

function kernelBox(view, box, known) {
  const { app } = view;
  const { data } = app;
  const line = known ? `var(--d${box.color})` : "var(--weight)";
  const shown = [s("rect", { x: box.x, y: box.y, width: box.w, height: box.h, rx: 7, fill: "var(--panel)", stroke: line })];
  const weights = box.weights.map((number) => ({ number, item: data.parameters[number] }));
  const maps = weights.filter(({ item }) => item.rows > 1);
  const others = weights.filter(({ item }) => item.rows <= 1);
  const [first] = maps;
  if (first) {
    const name = box.label || `@ ${visible(first.item.short, box.w < 100 ? 9 : 12)}`;
    const left = Math.floor((box.w - 12) / 5.8) - name.length - 1;
    const room = left < first.item.shape.length ? 0 : left;
    shown.push(s("text", { x: box.x + 6, y: box.y + 14, class: "s weight" }, s("tspan", { class: "b" }, name), room > 0 ? ` ${visible(first.item.shape, room)}` : ""));
    const foot = others.length || maps.length > 1 ? 20 : 6;
    const area = { x: box.x + 5, y: box.y + 33, w: box.w - 10, h: box.h - 33 - foot };
    shown.push(...heads(view, first.item, area));
    shown.push(...drawWeight(app, first.number, area));
  }
  if (!first) shown.push(s("text", { x: box.x + box.w / 2, y: box.y + box.h / 2 + 4, "text-anchor": "middle", class: "b weight" }, box.label || view.template.ops[box.nodes[0]].op));
  const rest = [...maps.slice(1), ...others].map(({ item }) => `+ ${item.short}`).join(" ");
  if (rest) shown.push(s("text", { x: box.x + 6, y: box.y + box.h - 6, class: "s weight" }, visible(rest, 18)));
  return shown;
}

// The gates over a kernel, as wide as their columns.
function heads(view, item, { x, y, w }) {
  const columns = item.blocks?.columns ?? [];
  const total = columns.reduce((sum, [, size]) => sum + size, 0) || 1;
  let at = x;
  return columns.map(([name, size]) => {
    const gate = gateNamed(view.row, name);
    const width = (w * size) / total;
    const fill = gate && gate.color !== null ? `var(--g${gate.color})` : "none";
    const shown = s("g", { class: gate ? dimmed(view.app, gate.name) : null, data: gate ? { g: gate.name } : null },
      s("rect", { x: at, y: y - 13, width, height: 12, fill }),
      width > 3 + 7 * name.length ? s("text", { x: at + width / 2, y: y - 3.5, "text-anchor": "middle", class: "s b" }, name) : null);
    at += width;
    return shown;
  });
}

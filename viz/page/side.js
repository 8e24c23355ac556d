// Beside the cell: the kernel to scale, the gates, the chosen step with its numbers, and whatever was opened.
import { byId, counted, fill, h, s, visible } from "./dom.js";
import { written } from "./numbers.js";
import { formulaElements, formulaNumbers, operandName } from "./operands.js";
import { nameAt } from "./search.js";
import { templateAt } from "./time.js";
import { drawWeight } from "./weights.js";
import { dimmed, gateNamed } from "./selection.js";

const WIDE = 260;
const LEFT = 44;
const MOST_MAPS = 4;
const MOST_LINES = 4;

// What the weights were drawn for last: most steps change nothing of them.
let drawn = null;

export function drawSide(app) {
  const row = app.data.rows[app.state.r];
  const step = app.step();
  const template = row.templates[templateAt(row, step - row.first)];
  const view = { app, row, template, step, r: app.state.r };
  const key = ["r", "w", "g", "u"].map((one) => app.state[one]).join() + app.dark;
  if (drawn !== key) fill(byId("weights"), weights(view).filter(Boolean));
  drawn = key;
  fill(byId("said"), [gates(view), opened(view) ?? numbers(view), others(view)].flat().filter(Boolean));
}

function chip(view, name) {
  const gate = view.row.gates.find((one) => one.name === name);
  if (!gate || gate.color === null) return null;
  const found = h("span", { class: `chip ${dimmed(view.app, name) ?? ""}`, data: { g: name } }, visible(name, 10));
  found.style.background = `var(--g${gate.color})`;
  return found;
}

// -- weights ----------------------------------------------------------------------------------------------------------

function weights(view) {
  const { app, row } = view;
  const numbers = app.state.w !== null ? [app.state.w] : row.weights;
  const maps = numbers.filter((number) => app.data.parameters[number].rows > 1);
  const vectors = new Set(numbers.filter((number) => app.data.parameters[number].rows <= 1));
  const room = Math.max(52, 205 / Math.max(1, Math.min(maps.length, MOST_MAPS)));
  const shown = maps.slice(0, MOST_MAPS).map((number) => {
    const item = app.data.parameters[number];
    const under = [...vectors].filter((other) => sameColumns(item, app.data.parameters[other]));
    under.forEach((other) => vectors.delete(other));
    return map(view, number, under, room);
  });
  const left = [...vectors].slice(0, MOST_LINES).map((number) => (maps.length ? line(view, number) : map(view, number, [], 14)));
  const more = Math.max(0, maps.length - MOST_MAPS) + Math.max(0, vectors.size - MOST_LINES);
  if (!numbers.length) return [];
  const uses = app.state.w === null || !row.path ? null : usesOf(view);
  return [...shown, ...left, uses, more ? h("p", { class: "note" }, `and ${counted(more, "more weight")}; search finds ${more > 1 ? "them" : "it"}`) : null];
}

// How often the one weight that is shown is read, and the way back.
function usesOf({ app, template }) {
  const reading = template.ops.filter((op) => op.in.some((piece) => piece?.[0] === "s" && template.sources[piece[1]].weights?.includes(app.state.w)));
  const count = counted(reading.length, "operator");
  return h("p", { class: "note", id: "uses" }, `Read by ${count} at this step: ${[...new Set(reading.map((op) => op.op))].join(", ")}. Esc shows all weights.`);
}

function sameColumns(one, other) {
  if (one.scope !== other.scope) return false;
  if (!one.blocks || !other.blocks) return one.columns === other.columns;
  return JSON.stringify(one.blocks.columns) === JSON.stringify(other.blocks.columns);
}

function map(view, number, under, room) {
  const { app, row } = view;
  const item = app.data.parameters[number];
  const pixel = Math.min(WIDE / item.columns, room / item.rows, 14);
  const wide = item.columns * pixel < 120 ? Math.min(WIDE, Math.max(item.columns * pixel, 120)) : Math.max(item.columns * pixel, Math.min(WIDE, 200));
  const high = item.rows <= 1 ? 12 : Math.max(item.rows * pixel, Math.min(room, 40));
  const columns = item.blocks?.columns ?? [];
  const top = columns.length > 1 || (columns[0] && columns[0][0]) ? 18 : 2;
  const svg = s("svg", { width: 312, height: top + high + 16 + under.length * 16, role: "img", "aria-label": `Heat map of ${visible(item.name)}`, data: { weight: number } });
  const shown = [...heads(view, item, wide, top), ...drawWeight(app, number, { x: LEFT, y: top, w: wide, h: high }), ...sides(item, top, high)];
  under.forEach((other, k) => {
    const y = top + high + 4 + k * 16;
    shown.push(...drawWeight(app, other, { x: LEFT, y, w: wide, h: 11 }));
    shown.push(s("text", { x: LEFT - 6, y: y + 9.5, "text-anchor": "end", class: "m s" }, visible(app.data.parameters[other].short, 7)));
  });
  shown.push(...marks(view, item, wide, top + high + under.length * 16));
  svg.append(...shown);
  const order = gateOrder(row, columns);
  const uses = !row.path ? null : row.steps > 1 ? `shared by all ${row.steps.toLocaleString("en")} steps` : "one step";
  const odd = [number, ...under].reduce((sum, one) => sum + app.data.parameters[one].odd, 0);
  const title = h("h2", { class: "weightname", title: visible(item.name) }, shortName(item, 42 - item.shape.length), " ", h("span", null, item.shape));
  const note = h("p", { class: "note" }, item.rows > 1 ? uses : null, order ? [uses && item.rows > 1 ? " · " : "", "gate order ", h("b", null, order)] : null, reduced(item), odd ? [" · ", h("b", { class: "odd" }, `${odd.toLocaleString("en")} not finite`)] : null);
  return h("section", { class: "map" }, title, note, svg, item.blocks?.note ? h("p", { class: "note" }, visible(item.blocks.note, 160)) : null);
}

// A weight of one row among others: its name and its numbers beside each other.
function line(view, number) {
  const item = view.app.data.parameters[number];
  const svg = s("svg", { width: 124, height: 13, role: "img", "aria-label": `Heat map of ${visible(item.name)}`, data: { weight: number } }, drawWeight(view.app, number, { x: 1, y: 1, w: 120, h: 11 }));
  return h("div", { class: "line" }, h("h2", { class: "weightname", title: visible(item.name) }, shortName(item, 22), " ", h("span", null, item.shape)), svg);
}

// The name of a weight, with as much of its path as there is room for: its last two parts at least.
function shortName(item, most) {
  const parts = item.name.split("/");
  while (parts.length > 2 && parts.join("/").length + 2 > most) parts.shift();
  const text = parts.join("/");
  return text === item.name ? visible(text, most) : `…/${visible(text, most)}`;
}

function reduced(item) {
  const [rows, columns] = item.block;
  return rows * columns > 1 ? ` · means of blocks of ${rows} × ${columns}` : null;
}

function gateOrder(row, columns) {
  return columns.length > 1 && columns.every(([name]) => gateNamed(row, name)) ? columns.map(([name]) => name).join(", ") : "";
}

function heads(view, item, wide, top) {
  const columns = item.blocks?.columns ?? [];
  if (top < 10) return [];
  let at = LEFT;
  return columns.map(([name, size]) => {
    const gate = gateNamed(view.row, name);
    const width = (wide * size) / item.full[1];
    const fill = gate && gate.color !== null ? `var(--g${gate.color})` : "none";
    const label = visible(name, Math.max(1, Math.floor(width / 8)));
    const sized = width > label.length * 8 + 22;
    const shown = s("g", { class: gate ? dimmed(view.app, gate.name) : null, data: gate ? { g: gate.name } : null },
      s("rect", { x: at, y: 0, width, height: 17, fill }),
      s("text", { x: at + width / 2, y: 13, "text-anchor": "middle" }, s("tspan", { class: "b" }, label), sized ? s("tspan", { class: "s", dx: 3 }, String(size)) : null));
    at += width;
    return shown;
  });
}

function sides(item, top, high) {
  if (item.blocks?.window?.length) return [];
  let at = 0;
  return (item.blocks?.rows ?? []).filter(([name]) => name).map(([name, size]) => {
    const y = top + (high * (at + size / 2)) / item.full[0];
    at += size;
    const long = name.length > 4;
    return s("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, s("tspan", { class: long ? "b xs" : "b" }, visible(name, 7)), long ? null : s("tspan", { class: "s m", dx: 3 }, String(size)));
  });
}

// Where the chosen unit stands under each gate.
function marks(view, item, wide, y) {
  const { app, row } = view;
  const columns = item.blocks?.columns ?? [];
  let at = 0;
  return columns.flatMap(([name, size]) => {
    const begin = at;
    at += size;
    if (size !== row.units || app.state.u >= size) return [];
    const x = LEFT + (wide * (begin + app.state.u + 0.5)) / item.full[1];
    return [s("path", { d: `M${x - 3} ${y + 9}l3 -5l3 5z`, fill: "var(--play)", class: dimmed(app, name) })];
  });
}

// -- gates ------------------------------------------------------------------------------------------------------------

function gates(view) {
  const { app, row } = view;
  const tracks = row.tracks.filter((track) => track.kind === "gate");
  if (!tracks.length) return null;
  const valued = Boolean(app.values);
  const head = h("tr", null, ["gate", "columns", "bias", ...(valued ? ["seen", "mean", "sat."] : [])].map((word) => h("th", { scope: "col" }, word)));
  const lines = tracks.map((track) => {
    const batch = (list) => list?.[Math.min(app.state.b, list.length - 1)];
    const share = batch(track.saturated);
    const seen = valued && track.mean ? [`${written(track.lo)}…${written(track.hi)}`, written(batch(track.mean)), share === undefined ? "" : `${Math.round(share * 100)}%`] : valued ? ["", "", ""] : [];
    const [columns, bias] = [track.columns ?? "", track.bias ?? null];
    const added = track.added ? h("b", null, track.added) : null;
    return h("tr", { class: dimmed(app, track.name), data: { g: track.name } },
      h("td", null, chip(view, track.name) ?? h("b", null, visible(track.name, 10)), " ", track.activation),
      h("td", null, columns), h("td", null, bias === null ? "" : written(bias), added), seen.map((text) => h("td", null, text)));
  });
  const order = app.data.expected?.order;
  const table = h("table", { class: "gates", "aria-label": "Gates" }, h("thead", null, head), h("tbody", null, lines));
  return order ? [table, h("p", { class: "odd", id: "order" }, visible(order, 200))] : table;
}

// -- the chosen step ----------------------------------------------------------------------------------------------------

function numbers(view) {
  const { app, row, template, step, r } = view;
  if (!row.path) return app.values ? null : withoutFeeds(app);
  const all = template.boxes.flatMap((box) => box.parts ?? [box]);
  const boxes = [...gatesFirst(row, all.filter((box) => box.kind === "gate")), ...all.filter((box) => box.kind === "named")];
  boxes.push(...leaving(template, boxes));
  const lines = boxes.flatMap((box) => {
    const count = app.values ? app.values.count(r, box.slot) : 0;
    const value = app.values?.at(r, box.slot, app.state.b, step - row.first, app.state.u);
    const dim = box.gate !== undefined ? dimmed(app, box.gate) : null;
    const formula = box.formula ? ["= ", formulaElements(app, template, box.formula, step, (gate) => chip(view, gate))] : "";
    const put = app.values && box.formula ? formulaNumbers(app, r, template, box.formula, step, app.state.u, count) : null;
    const label = chip(view, box.label) ?? h("b", null, visible(box.label, 12));
    return [
      h("dt", { class: dim }, label),
      h("dd", { class: dim }, h("span", { class: "eq" }, formula), h("span", { class: "r", data: { result: box.label } }, value === undefined ? "" : app.values.written(r, box.slot, value))),
      put === null ? null : h("dd", { class: `n ${dim ?? ""}`, data: { put: box.label } }, put),
    ];
  });
  const title = h("h2", { class: "plain" }, app.values ? `Step ${step}, unit ${app.state.u} ` : "One step ", h("span", { class: "note" }, !app.values ? "" : lines.length ? "with its numbers put in" : "opens no named result; click an operator for its numbers"));
  return h("section", { class: "f" }, title, h("dl", null, lines), app.values ? null : withoutFeeds(app));
}

// What leaves the cell and is no box with a name, such as what a product makes.
function leaving(template, boxes) {
  const found = template.ports.map((port) => ({ label: port.name, slot: template.ops[port.of[1]].slots[port.of[2]] }));
  return found.filter((port) => boxes.every((box) => box.slot !== port.slot));
}

// Gates in the order of the kernel.
function gatesFirst(row, boxes) {
  const place = new Map(row.gates.map((gate, at) => [gate.name, at]));
  return boxes.slice().sort((one, other) => (place.get(one.label) ?? 99) - (place.get(other.label) ?? 99));
}

function withoutFeeds(app) {
  const names = app.data.sentence.filter((part) => part.kind === "input").map((part) => part.label);
  const first = visible((names[0] ?? "X").split(" … ")[0], 20);
  return h("p", { class: "note" }, "Structure and weights only. For values at every step give feeds: ", h("code", null, `unroll.view(graph, feeds={"${first}": …})`), " or ", h("code", null, "unroll view MODEL --feeds FILE.npz"), ".");
}

// -- what was opened ----------------------------------------------------------------------------------------------------

function opened(view) {
  const { app, template } = view;
  if (app.state.p !== null && app.state.p !== undefined) return openedPart(view);
  if (app.state.o === null || !template.boxes[app.state.o]) return null;
  const box = template.boxes[app.state.o];
  const close = h("button", { class: "close", "aria-label": "Close", onclick: () => app.set({ o: null }) }, "×");
  const title = h("h2", { class: "plain" }, box.nodes.length > 1 ? `${box.nodes.length} operators` : "One operator", close);
  return h("section", { class: "f", id: "opened" }, title, box.nodes.map((number) => operator(view, number)));
}

// What stands around the loops: the operators of a part of the sentence.
function openedPart({ app }) {
  const r = app.data.rows.findIndex((row) => row.around);
  const part = app.data.sentence[app.state.p];
  if (r < 0 || !part?.ops) return null;
  const row = app.data.rows[r];
  const view = { app, row, r, template: row.templates[0], step: row.first };
  const close = h("button", { class: "close", "aria-label": "Close", onclick: () => app.set({ p: null }) }, "×");
  const several = /^\d+ ×$/.test(part.note) ? `, the first of ${parseInt(part.note, 10)}` : "";
  const title = h("h2", { class: "plain" }, part.ops.length > 1 ? `${visible(part.label, 30)}: ${part.ops.length} operators` : "One operator", h("span", { class: "note" }, several), close);
  return h("section", { class: "f", id: "opened" }, title, part.ops.map((number) => operator(view, number)));
}

function operator(view, number) {
  const { app, row, template, step, r } = view;
  const op = template.ops[number];
  const steps = row.runs.filter(([at]) => row.templates[at] === template);
  const shapes = [...new Set(op.shapes)].length === 1 && op.shapes.length > 2 ? [`${op.shapes.length + (op.more ?? 0)} × ${op.shapes[0]}`] : [...op.shapes, ...(op.more ? [`${op.more} more`] : [])];
  const pairs = [["shape", shapes.join(", ")], ["dtype", op.dtype]];
  for (const [key, value] of Object.entries(op.attributes ?? {})) pairs.push([key, value]);
  if (op.gate) pairs.push(["gate", op.gate]);
  if (row.path) pairs.push(["cell", row.path], ["step", String(step)]);
  pairs.push(["reads", op.in.filter(Boolean).map((piece) => readName(view, piece)).join(", ") || "nothing"]);
  const readers = template.ops.flatMap((other, at) => (other.in.some((piece) => piece && piece[0] === "n" && piece[1] === number) ? [nameAt(template.names[at], step, steps)] : []));
  const leaves = template.ports.filter((port) => port.of[1] === number).map((port) => (port.kind === "handed" ? `the next step, as ${port.name}` : "outside of the cell"));
  pairs.push(["read by", [...readers, ...leaves].join(", ") || "nothing"]);
  const formula = op.formula ? h("p", { class: "eq" }, op.labels[0] ? [h("b", null, visible(op.labels[0], 16)), " = "] : null, formulaElements(app, template, op.formula, step, (gate) => chip(view, gate))) : null;
  const list = pairs.map(([key, value]) => [h("dt", null, visible(key, 16)), h("dd", null, visible(value, 400))]);
  return h("article", null, h("h3", null, op.op, " ", h("span", { class: "note" }, visible(nameAt(template.names[number], step, steps), 80))), formula, h("dl", { class: "pairs" }, list), op.slots.map((slot, output) => values(view, slot, output, r)));
}

function readName({ app, template, step, row }, piece) {
  if (piece[0] === "n") {
    const steps = row.runs.filter(([at]) => row.templates[at] === template);
    return template.ops[piece[1]].labels[piece[2]] || nameAt(template.names[piece[1]], step, steps);
  }
  return operandName(app, template, piece, step);
}

const MOST_VALUES = 24;

function values({ app, row, step }, slot, output, r) {
  if (!app.values || app.values.at(r, slot, app.state.b, step - row.first, 0) === undefined) return null;
  const count = app.values.count(r, slot);
  const listed = [];
  for (let unit = 0; unit < Math.min(count, MOST_VALUES); unit++) listed.push(app.values.written(r, slot, app.values.at(r, slot, app.state.b, step - row.first, unit)));
  const rest = count > MOST_VALUES ? ` … ${(count - MOST_VALUES).toLocaleString("en")} more` : "";
  return h("p", { class: "values", data: { values: output } }, listed.join("  "), rest);
}

function others(view) {
  const { app } = view;
  const kept = app.data.values;
  if (!kept) return null;
  const said = [];
  if (kept.rows < kept.batch) said.push(`the first ${kept.rows} of ${kept.batch.toLocaleString("en")} rows of the batch`);
  if (kept.inner < kept.rows) said.push(kept.inner ? "row 0 alone of operators between gates and states" : "gates and states, not the operators between them");
  if (kept.block > 1) said.push(`means of ${kept.block} units`);
  if (kept.every > 1) said.push(`one step of ${kept.every}`);
  return said.length ? h("p", { class: "note" }, `Values that this page keeps, to stay small: ${said.join("; ")}.`) : null;
}

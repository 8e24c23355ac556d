// The boxes of an opened cell: gates with their values, kernels to scale, signs and other operators.
import { css, rampOf } from "./colours.js";
import { s, visible } from "./dom.js";
import { formulaText } from "./operands.js";
import { dimmed, gateNamed } from "./selection.js";
import { drawWeight } from "./weights.js";

const MOST_FIELDS = 64;

// The class of what a way that is shown does not pass.
export function marked(view, key) {
  const path = view.app.path;
  return view.r === view.app.state.r && path.size && !path.has(key) ? "off" : null;
}

// The values of a tensor at a step, as fields beside one another; the chosen unit has a frame.
export function strip(view, slot, step, at, track) {
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

export function trackOf(view, slot) {
  return view.row.tracks.find((track) => track.slot === slot && track.scale);
}

export function boxOf(view, box, at) {
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
  if (rest) shown.push(s("text", { x: box.x + 6, y: box.y + box.h - 6, class: "s weight" }, visible(rest, Math.floor((box.w - 10) / 5.8))));
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

// What stands over and under the views: facts, the graph in one sentence, the legend.
import { byId, counted, h, s, visible } from "./dom.js";

export function header(app) {
  const { data } = app;
  const rows = data.rows.filter((row) => row.path);
  byId("title").textContent = visible(data.title, 48);
  const cells = [...new Set(rows.map((row) => row.title))];
  const units = [...new Set(rows.map((row) => row.units).filter(Boolean))];
  const steps = [...new Set(rows.map((row) => row.steps))];
  const parts = [];
  if (rows.length) {
    parts.push(h("b", null, visible(cells.slice(0, 2).join(", ") + (cells.length > 2 ? ` and ${cells.length - 2} more` : ""), 60)));
    if (rows.length > 1) parts.push(`${rows.length} loops`);
    if (data.flat) parts.push(`inside ${inner(data)}`);
    if (units.length) parts.push(counted(units.slice(0, 3), "unit"));
    parts.push(h("b", null, `T = ${steps.slice(0, 3).map((count) => count.toLocaleString("en")).join(", ")}`));
  } else if (data.loops.length) {
    const [{ units, steps: count }] = data.loops;
    parts.push(h("b", null, inner(data)), `${data.loops.length === 1 && units ? `${units} ${units === "1" ? "unit" : "units"} · ` : ""}T = ${count}`);
  } else parts.push("no recurrence over steps");
  parts.push(counted(data.operators, "operator"), counted(data.size, "parameter"));
  if (data.expected) parts.push(h("b", { id: "expected" }, `at most ${data.expected.largest} from expected`));
  byId("facts").replaceChildren(...parts.flatMap((part, k) => (k ? [" · ", part] : [part])));
}

// The operators that hold loops, in words.
function inner(data) {
  const names = [...new Set(data.loops.map((loop) => loop.op))];
  const counts = names.map((name) => [name, data.loops.filter((loop) => loop.op === name).length]);
  return counts.map(([name, count]) => (count > 1 ? `${count} ${name} operators` : `one ${name} operator`)).join(", ");
}

// Operators that only lead data on: where there is little room, they are a dot each.
const LEADING = new Set(["Unstack", "Stack", "Split", "Concat", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Expand", "Gather", "Slice", "Reverse", "ReverseSequence", "Identity", "Cast", "Shape"]);

// The whole graph in one sentence: in full where there is room for it; else with short names, then without how often operators
// are there, then with a dot for each that only leads on, then for each operator; what is too long even so goes on in a second
// line.
export function sentence(app) {
  const pipe = byId("pipe");
  pipe.classList.remove("wrapped");
  for (let less = 0; less < 5; less++) {
    pipe.classList.toggle("tight", less > 3);
    pipe.replaceChildren(...app.data.sentence.flatMap((part, k) => partOf(app, part, k, less)));
    if (pipe.scrollWidth <= pipe.clientWidth) return;
  }
  pipe.classList.add("wrapped");
}

function isDot(part, less) {
  return part.kind === "op" && part.row === undefined && (less > 3 || (less > 2 && LEADING.has(part.label)));
}

function partOf(app, part, k, less) {
  const dot = isDot(part, less);
  const beside = dot && k > 0 && isDot(app.data.sentence[k - 1], less);
  const gap = k && !beside ? [h("i", { "aria-hidden": "true" }, part.before ? "→" : "·")] : [];
  const full = [part.label, part.note].filter(Boolean).join(" ");
  const short = part.row !== undefined && less > 0 ? part.label.slice(part.label.lastIndexOf("/") + 1) : part.label;
  const label = visible(dot ? "•" : short || "", less ? 24 : 40);
  const told = part.row !== undefined && less > 3 ? part.note.replace(/ × .*/, " ×") : part.kind === "op" && part.row === undefined && less > 1 ? "" : part.note;
  const note = told && !dot ? visible(told, 40) : null;
  const inner = [label ? h("b", null, label) : null, label && note ? " " : null, note];
  const said = less ? { title: visible(full, 120), "aria-label": visible(full, 120) } : {};
  const data = { part: k, ...(part.row === undefined ? {} : { row: part.row }) };
  if (part.row !== undefined || part.ops?.length) return [...gap, h("button", { class: `node${part.row === undefined ? "" : " loop"}${dot ? " dot" : ""}`, data, onclick: () => app.openPart(k), ...said }, inner)];
  return [...gap, h("span", { class: part.kind === "op" ? "node" : "node in", ...said }, inner)];
}

export function legend(app) {
  const bar = (ramp) => {
    const fields = [];
    for (let k = 0; k < 24; k++) {
      const at = Math.round((k / 23) * 255) * 4;
      fields.push(s("rect", { x: k * 2.5, width: 2.7, height: 9, fill: `rgb(${ramp[at]},${ramp[at + 1]},${ramp[at + 2]})` }));
    }
    return s("svg", { width: 60, height: 9, class: "bar" }, fields);
  };
  const gate = app.data.rows[0].gates.find((one) => one.color !== null);
  const parts = [h("span", null, "−", bar(app.ramps.signed), "+")];
  if (gate) parts.push(h("span", null, "gate: 0 shut", bar(app.ramps.gates[gate.color]), "1 open"));
  byId("legend").replaceChildren(...parts);
}

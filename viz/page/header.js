// What stands over and under the views: facts, the graph in one sentence, the legend.
import { byId, h, s, visible } from "./dom.js";

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
    if (units.length) parts.push(`${units.slice(0, 3).join(", ")} units`);
    parts.push(h("b", null, `T = ${steps.slice(0, 3).map((count) => count.toLocaleString("en")).join(", ")}`));
  } else if (data.loops.length) {
    const [{ units, steps: count }] = data.loops;
    parts.push(h("b", null, inner(data)), `${data.loops.length === 1 && units ? `${units} units · ` : ""}T = ${count}`);
  } else parts.push("no recurrence over steps");
  parts.push(`${data.operators.toLocaleString("en")} operators`, `${data.size.toLocaleString("en")} parameters`);
  if (data.expected) parts.push(h("b", { id: "expected" }, `at most ${data.expected.largest} from expected`));
  byId("facts").replaceChildren(...parts.flatMap((part, k) => (k ? [" · ", part] : [part])));
}

// The operators that hold loops, in words.
function inner(data) {
  const names = [...new Set(data.loops.map((loop) => loop.op))];
  const counts = names.map((name) => [name, data.loops.filter((loop) => loop.op === name).length]);
  return counts.map(([name, count]) => (count > 1 ? `${count} ${name} operators` : `one ${name} operator`)).join(", ");
}

export function sentence(app) {
  const parts = app.data.sentence.flatMap((part, k) => {
    const gap = k ? [h("i", { "aria-hidden": "true" }, part.before ? "→" : "·")] : [];
    const label = visible(part.label || "", 40);
    const inner = [label ? h("b", null, label) : null, label && part.note ? " " : null, part.note ? visible(part.note, 40) : null];
    const opens = part.row !== undefined || part.ops?.length;
    const data = { part: k, ...(part.row === undefined ? {} : { row: part.row }) };
    if (opens) return [...gap, h("button", { class: part.row === undefined ? "node" : "node loop", data, onclick: () => app.openPart(k) }, inner)];
    return [...gap, h("span", { class: part.kind === "op" ? "node" : "node in" }, inner)];
  });
  byId("pipe").replaceChildren(...parts);
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

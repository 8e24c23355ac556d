// What stands over and under the views: facts, the graph in one sentence, the legend.
import { begins } from "./axis.js";
import { byId, h, s, visible } from "./dom.js";

export function header(app) {
  const { data } = app;
  const rows = data.rows.filter((row) => row.path);
  byId("title").textContent = visible(data.title, 48);
  const cells = [...new Set(rows.map((row) => row.cell))];
  const units = [...new Set(rows.map((row) => row.units).filter(Boolean))];
  const steps = [...new Set(rows.map((row) => row.steps))];
  const size = data.parameters.reduce((sum, item) => sum + item.size, 0);
  const parts = [];
  if (rows.length) {
    parts.push(h("b", null, visible(cells.slice(0, 2).join(", ") + (cells.length > 2 ? ` and ${cells.length - 2} more` : ""), 60)));
    if (rows.length > 1) parts.push(`${rows.length} loops`);
    if (units.length) parts.push(`${units.slice(0, 3).join(", ")} units`);
    parts.push(h("b", null, `T = ${steps.slice(0, 3).map((count) => count.toLocaleString("en")).join(", ")}`));
  } else parts.push("no recurrence over steps");
  parts.push(`${data.operators.toLocaleString("en")} operators`, `${size.toLocaleString("en")} parameters`);
  if (data.expected) parts.push(h("b", { id: "expected" }, `at most ${data.expected.largest} from expected`));
  byId("facts").replaceChildren(...parts.flatMap((part, k) => (k ? [" · ", part] : [part])));
}

export function sentence(app) {
  const parts = app.data.sentence.flatMap((part, k) => {
    const gap = k ? [h("i", { "aria-hidden": "true" }, part.before ? "→" : "·")] : [];
    const label = visible(part.label || "", 40);
    const inner = [label ? h("b", null, label) : null, label && part.note ? " " : null, part.note ? visible(part.note, 40) : null];
    const open = part.kind === "loop" ? () => app.set({ r: part.row, t: begins(app.data.rows[part.row], app.segments) }) : null;
    if (part.kind === "loop") return [...gap, h("button", { class: "node loop", data: { row: part.row }, onclick: open }, inner)];
    return [...gap, h("span", { class: part.kind === "op" ? "node" : "node in", title: part.name ? visible(part.name, 200) : null }, inner)];
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
  const parts = ["−", bar(app.ramps.signed), "+"];
  if (gate) parts.push(" shut 0", bar(app.ramps.gates[gate.color]), "1 open");
  byId("legend").replaceChildren(...parts);
}

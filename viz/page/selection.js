// What is chosen: a loop, a step, a unit, a gate, a row of the batch; and the link that brings it back.

export function chosen(total) {
  return { r: 0, t: Math.max(0, Math.min(7, total - 1)), b: 0, u: 2, g: null, o: null, w: null, p: null, sat: false, view: [0, total] };
}

function whole(text, fallback) {
  const number = Number(text);
  return text !== null && text !== "" && Number.isInteger(number) ? number : fallback;
}

// A selection from the part of an address behind "#". What it does not say, or says wrongly, stays as it is.
export function fromLink(text, before, total) {
  const link = new URLSearchParams(text.replace(/^#/, ""));
  const found = { ...before };
  for (const key of ["r", "t", "b", "u"]) found[key] = whole(link.get(key), found[key]);
  found.o = link.has("o") ? whole(link.get("o"), null) : null;
  found.p = link.has("p") ? whole(link.get("p"), null) : null;
  found.g = link.get("g") || null;
  found.sat = link.get("sat") === "1";
  const [from, to] = (link.get("v") ?? "").split("-").map(Number);
  const fits = Number.isFinite(from) && Number.isFinite(to) && from >= 0 && to > from && to <= total;
  found.view = fits ? [from, to] : [0, total];
  found.theme = ["light", "dark"].includes(link.get("theme")) ? link.get("theme") : found.theme;
  return found;
}

// The part of an address behind "#" that brings a selection back.
export function toLink(selection, total) {
  const link = new URLSearchParams();
  for (const key of ["t", "b", "u"]) link.set(key, String(selection[key]));
  if (selection.r) link.set("r", String(selection.r));
  if (selection.g) link.set("g", selection.g);
  if (selection.o !== null) link.set("o", String(selection.o));
  if (selection.p !== null && selection.p !== undefined) link.set("p", String(selection.p));
  if (selection.sat) link.set("sat", "1");
  const [from, to] = selection.view;
  if (from > 0 || to < total) link.set("v", `${+from.toFixed(1)}-${+to.toFixed(1)}`);
  if (selection.theme) link.set("theme", selection.theme);
  return link.toString();
}

// A selection within what there is.
export function within(selection, limits) {
  const held = (value, most) => Math.max(0, Math.min(most - 1, value));
  const { rows, columns, batch, units } = limits;
  return { ...selection, r: held(selection.r, rows), t: held(selection.t, columns), b: (selection.b + batch) % batch || 0, u: held(selection.u, units) };
}

// The class of what is of a gate: dimmed where another one is chosen.
export function dimmed(app, gate) {
  return app.state.g !== null && app.state.g !== gate ? "dim" : null;
}

// The gate of a loop that a block of a weight belongs to: frameworks have names of their own for some.
export function gateNamed(row, name) {
  return row.gates.find((gate) => gate.name === name) ?? row.gates.find((gate) => gate.also?.includes(name));
}

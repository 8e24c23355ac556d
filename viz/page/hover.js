// What the pointer is over, in a few words: a number of a weight or of a track; of a block of many, its mean and its largest;
// what a wire of the opened cell carries, with its shape.
import { begins } from "./axis.js";
import { byId, visible } from "./dom.js";
import { written } from "./numbers.js";
import { operandName } from "./operands.js";
import { templateAt } from "./time.js";

// Begin to follow the pointer.
export function hover(app) {
  const note = byId("hover");
  document.addEventListener("pointermove", (event) => {
    const text = event.buttons ? "" : ofWeight(app, event) || ofWire(app, event) || ofTrack(app, event);
    note.hidden = !text;
    if (!text) return;
    note.textContent = text;
    note.style.left = Math.max(4, Math.min(event.clientX + 12, innerWidth - note.offsetWidth - 4)) + "px";
    note.style.top = (event.clientY + 40 > innerHeight ? event.clientY - 34 : event.clientY + 16) + "px";
  });
  document.addEventListener("pointerleave", () => {
    note.hidden = true;
  });
}

// Which part of a list of blocks a place lies in: its name, and the place within it.
export function within(blocks, place) {
  let at = place;
  for (const [name, size] of blocks ?? []) {
    if (at < size) return name ? `${name} ${at}` : null;
    at -= size;
  }
  return null;
}

// The numbers of one block of a weight, in words.
export function told(item, row, column, mean, largest) {
  const [tall, wide] = item.block;
  const digits = item.plane.d === undefined ? 4 : item.plane.d - 1;
  if (tall * wide === 1) {
    const source = within(item.blocks?.window?.length ? null : item.blocks?.rows, row) ?? (item.rows > 1 ? `row ${row}` : null);
    const gate = within(item.blocks?.columns, column) ?? `column ${column}`;
    return `${visible(item.short, 20)}, ${source ? visible(source, 20) + ", " : ""}${visible(gate, 20)}: ${written(mean, digits)}`;
  }
  const [rows, columns] = [span("row", row * tall, tall, item.full[0]), span("column", column * wide, wide, item.full[1])];
  return `${visible(item.short, 20)}, ${rows}, ${columns}: mean ${written(mean, digits)}, largest ${written(largest, digits)}`;
}

function span(what, from, size, all) {
  const last = Math.min(all, from + size) - 1;
  return last > from ? `${what}s ${from} to ${last}` : `${what} ${from}`;
}

function ofWeight(app, event) {
  const image = event.target.closest?.("[data-map]");
  if (!image) return "";
  const number = Number(image.dataset.map);
  const item = app.data.parameters[number];
  const box = image.getBoundingClientRect();
  const row = Math.floor(((event.clientY - box.y) / box.height) * item.rows);
  const column = Math.floor(((event.clientX - box.x) / box.width) * item.columns);
  if (row < 0 || row >= item.rows || column < 0 || column >= item.columns) return "";
  const at = row * item.columns + column;
  return told(item, row, column, app.weights.weight(number)[at], item.largest ? app.weights.weight(number, true)[at] : undefined);
}

function ofWire(app, event) {
  const line = event.target.closest?.("[data-wire]");
  if (!line) return "";
  const row = app.data.rows[Number(line.closest("[data-row]").dataset.row)];
  const step = row === app.data.rows[app.state.r] ? app.step() : row.first;
  const template = row.templates[templateAt(row, step - row.first)];
  const piece = template.wires[Number(line.dataset.wire)].of;
  const [kind, at, output] = piece;
  const [shape, dtype] = kind === "s" ? [template.sources[at].shape, template.sources[at].dtype] : [template.ops[at].shapes[output], template.ops[at].dtype];
  return [visible(operandName(app, template, piece, step), 24), shape, dtype].filter(Boolean).join(" ");
}

function ofTrack(app, event) {
  const { place, data, state } = app;
  if (!app.values || !event.target.closest?.("#time")) return "";
  const box = byId("time").getBoundingClientRect();
  const [x, y] = [event.clientX - box.x, event.clientY - box.y];
  const line = place.tracks.find((one) => y >= one.y && y < one.y + one.high);
  if (!line || x < place.left || x >= place.width - place.right) return "";
  const row = data.rows[state.r];
  const step = Math.floor((x - place.left) / place.pitch + place.from) - begins(row, app.segments);
  const each = Math.max(1, line.count / line.high); // of more units than dots, those of one dot
  const first = Math.floor(((y - line.y) / line.high) * line.count);
  const units = Array.from({ length: Math.ceil(each) }, (_, k) => first + k).filter((unit) => unit < line.count);
  const held = units.map((unit) => app.values.at(state.r, line.track.slot, state.b, step, unit)).filter((value) => value !== undefined);
  if (!held.length) return "";
  const far = held.reduce((one, other) => (Math.abs(other) > Math.abs(one) ? other : one));
  const block = app.values.block(state.r, line.track.slot);
  const which = units.length > 1 ? `units ${first}–${units[units.length - 1]}, the largest` : block > 1 ? `unit ${first}, mean of ${block}` : `unit ${first}`;
  return `${visible(line.track.name, 20)}, step ${step + row.first}, ${which}: ${app.values.written(state.r, line.track.slot, far)}`;
}

// Formulas: their pieces as text, as elements, and with numbers put in.
import { h } from "./dom.js";

// The step that a source of a template was made at, seen from a step.
function madeAt(source, step) {
  return step - (source.back ?? 0);
}

// What an operand is called at a step: a state of the step before has that step behind its name.
export function operandName(app, template, piece, step) {
  const [kind, at, output] = piece;
  if (kind === "n") return template.ops[at].labels[output] || template.ops[at].op;
  if (kind === "v") return output;
  if (kind !== "s") return String(at);
  const source = template.sources[at];
  return source.kind === "state" && source.back ? `${source.name}[${madeAt(source, step)}]` : source.name;
}

// An operand at one unit as text; null where the page has no number of it, or where units do not match.
function operandNumber(app, r, template, piece, step, unit, count) {
  const [kind, at, output] = piece;
  const { values, state, data } = app;
  const row = data.rows[r];
  let slot;
  let when = step;
  if (kind === "n") slot = template.ops[at].slots[output];
  else if (kind === "v") slot = at;
  else if (kind === "s") {
    const source = template.sources[at];
    if (source.kind === "zero") return "0";
    slot = source.slot;
    when = madeAt(source, step);
  }
  if (slot === undefined || !values) return null;
  const size = values.count(r, slot);
  const value = size !== count && size !== 1 ? undefined : values.at(r, slot, state.b, when - row.first, size === 1 ? 0 : unit);
  return value === undefined ? null : values.written(r, slot, value);
}

// A formula as elements: gates as chips, everything else as text.
export function formulaElements(app, template, pieces, step, chip) {
  return pieces.map((piece) => {
    if (typeof piece === "string") return piece;
    const name = operandName(app, template, piece, step);
    const gate = piece[0] === "n" ? template.ops[piece[1]].labels[piece[2]] : null;
    const known = gate ? chip(gate) : null;
    return known ?? h("i", null, subscripted(name, (text) => h("sub", null, text)));
  });
}

// A name such as z_f as its letter and its index.
export function subscripted(name, lowered) {
  const [, letter, index] = name.match(/^(z)_(\w+)$/) ?? [];
  return letter ? [letter, lowered(index)] : [name];
}

// A formula as text.
export function formulaText(app, template, pieces, step) {
  return pieces.map((piece) => (typeof piece === "string" ? piece : operandName(app, template, piece, step))).join("");
}

// A formula with the numbers of one unit put in; null where an operand has none of that unit.
export function formulaNumbers(app, r, template, pieces, step, unit, count) {
  let text = "";
  let after = "";
  for (const piece of pieces) {
    if (typeof piece === "string") {
      text += piece;
      after = piece;
      continue;
    }
    const number = operandNumber(app, r, template, piece, step, unit, count);
    if (number === null) return null;
    const bracketed = number.startsWith("−") && /[−+×/^@] ?$/.test(after);
    text += bracketed ? `(${number})` : number;
    after = number;
  }
  return pieces.some((piece) => typeof piece !== "string") && !/[@[]/.test(text) ? text : null;
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { chosen, fromLink, toLink, within } from "./selection.js";

test("a link brings a selection back", () => {
  const selection = { ...chosen(1000), t: 420, b: 3, u: 5, r: 1, g: "f", o: 4, sat: true, view: [380, 480], theme: "dark" };
  assert.deepEqual(fromLink("#" + toLink(selection, 1000), chosen(1000), 1000), selection);
  assert.deepEqual(fromLink(toLink(chosen(28), 28), chosen(28), 28), { ...chosen(28), theme: undefined });
});

test("what a link says wrongly is passed over", () => {
  const found = fromLink("#t=x&u=1.5&b=&v=90-20&theme=<b>&o=no&g=", chosen(28), 28);
  assert.deepEqual(found, { ...chosen(28), theme: undefined });
  assert.deepEqual(fromLink("#v=0-999", chosen(28), 28).view, [0, 28]);
});

test("a selection stays within what there is", () => {
  const limits = { rows: 2, columns: 5, batch: 3, units: 4 };
  const held = within({ ...chosen(5), r: 9, t: -3, b: -1, u: 99 }, limits);
  assert.deepEqual([held.r, held.t, held.b, held.u], [1, 0, 2, 3]);
});

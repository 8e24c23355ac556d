import assert from "node:assert/strict";
import { test } from "node:test";
import { css, ODD, place, ramps, rampOf } from "./colours.js";
import { visible } from "./dom.js";
import { actionOf } from "./keys.js";
import { subscripted } from "./operands.js";
import { between } from "./paths.js";
import { templateAt } from "./time.js";

test("a number outside of its range has the colour of the end, and what is no number has its own", () => {
  const { signed } = ramps(false, []);
  assert.equal(place(5, [-1, 1]), 255);
  assert.equal(place(-5, [-1, 1]), 0);
  assert.equal(css(signed, NaN, [-1, 1]), ODD);
  assert.equal(css(signed, 0, [-1, 1]), css(signed, 0.001, [-1, 1]));
  assert.notEqual(css(signed, -1, [-1, 1]), css(signed, 1, [-1, 1]));
});

test("a gate that lies between 0 and 1 has its own colour, a candidate that of signs", () => {
  const found = ramps(false, ["#3E93C6"]);
  assert.equal(rampOf({ kind: "gate", color: 0, scale: [0, 1] }, found), found.gates[0]);
  assert.equal(rampOf({ kind: "gate", color: 0, scale: [-1, 1] }, found), found.signed);
  assert.equal(rampOf({ kind: "gate", color: null, scale: [0, 1] }, found), found.signed);
});

test("what cannot be seen is spelt out, and long names are cut", () => {
  assert.equal(visible("a\u0000b\u202e"), "a\\u0000b\\u202e");
  assert.equal(Array.from(visible("x".repeat(10000), 20)).length, 20);
  assert.equal(visible("<b>&amp;"), "<b>&amp;");
});

test("everything on a way between two boxes is found, whichever is named first", () => {
  const wires = [["a", "b"], ["b", "c"], ["a", "d"], ["d", "e"]].map(([from, to]) => ({ from: [from], to: [to] }));
  assert.deepEqual([...between(wires, ["a"], ["c"])].sort(), ["a", "b", "c"]);
  assert.deepEqual([...between(wires, ["c"], ["a"])].sort(), ["a", "b", "c"]);
  assert.equal(between(wires, ["c"], ["e"]).size, 0);
});

test("a step has the template of its run", () => {
  const loop = { first: 3, runs: [[0, 3, 3], [1, 4, 9], [0, 10, 10]] };
  assert.deepEqual([0, 1, 6, 7].map((step) => templateAt(loop, step)), [0, 1, 1, 0]);
});

test("an index stands lower only where it is one", () => {
  const low = (text) => [text];
  assert.deepEqual(subscripted("z_f", low), ["z", ["f"]]);
  assert.deepEqual(subscripted("new_c", low), ["new_c"]);
});

test("only keys that mean something do something", () => {
  const app = { state: { t: 4 }, set: (change) => change, gate: (number) => number };
  assert.deepEqual(actionOf("ArrowRight", { ...app, set: (change) => assert.equal(change.t, 5) })(), undefined);
  assert.equal(actionOf("3", { ...app, gate: (number) => assert.equal(number, 2) })(), undefined);
  for (const key of ["constructor", "q", "Tab", "toString"]) assert.equal(actionOf(key, app), undefined);
});

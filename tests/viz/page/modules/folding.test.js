import assert from "node:assert/strict";
import { test } from "node:test";
import { folds, reach, seen } from "./folding.js";

const box = (x, w, y = 0, h = 20) => ({ x, y, w, h });
const cell = { w: 1000, h: 90, boxes: [box(100, 80), box(110, 90, 40), box(300, 100), box(600, 50, 60)], sources: [box(0, 60), { kind: "weight" }], ports: [box(900, 100)], wires: [] };

test("a cell that fits is one piece", () => {
  assert.deepEqual(folds(cell, 620, 0.62), [[0, 1000]]);
});

test("a wider one is cut between columns of boxes, into as few pieces as fit, alike in width", () => {
  const found = folds(cell, 400, 0.62);
  assert.deepEqual(found, [[0, 500], [500, 1000]]);
  for (const width of [120, 200, 300, 500]) {
    const pieces = folds(cell, width, 0.62);
    assert.equal(pieces[0][0], 0);
    assert.equal(pieces[pieces.length - 1][1], 1000);
    pieces.slice(1).forEach(([from], k) => assert.equal(from, pieces[k][1]));
    for (const [, to] of pieces.slice(0, -1)) for (const { x, w } of cell.boxes) assert.ok(to <= x || to >= x + w);
  }
});

test("a cell of one column is not cut", () => {
  assert.deepEqual(folds({ w: 300, boxes: [box(0, 300)], sources: [], ports: [] }, 50, 0.62), [[0, 300]]);
});

test("what reaches into a piece is seen there", () => {
  assert.ok(seen([100, 200], 50, 120));
  assert.ok(seen([100, 200], 0, 900));
  assert.ok(!seen([100, 200], 210, 300));
});

test("a piece is as high as its boxes and the wires that pass", () => {
  assert.deepEqual(reach([500, 1000], cell), [0, 80]);
  assert.deepEqual(reach([500, 800], cell), [60, 80]);
  const wires = [{ d: "M60 10H200C230 10 230 120 260 120H640" }];
  assert.deepEqual(reach([500, 800], { ...cell, wires }), [60, 120]);
  assert.deepEqual(reach([0, 90], { ...cell, wires }), [0, 20]);
});

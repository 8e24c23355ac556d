import assert from "node:assert/strict";
import { test } from "node:test";
import { begins, detail, holding, panned, segmentAt, segments, ticks, zoomed } from "./axis.js";

const rows = [
  { phase: 0, first: 0, steps: 5 },
  { phase: 1, first: 0, steps: 7 },
  { phase: 1, first: 2, steps: 3 },
];

test("loops that follow each other are segments of one axis", () => {
  const found = segments(rows);
  assert.deepEqual(found.map((one) => [one.offset, one.first, one.count]), [[0, 0, 5], [5, 0, 7]]);
  assert.equal(begins(rows[2], found), 7);
  assert.equal(segmentAt(4, found).phase, 0);
  assert.equal(segmentAt(5, found).phase, 1);
  assert.equal(segmentAt(99, found).phase, 1);
});

test("cells are drawn with as much as their width has room for", () => {
  assert.deepEqual([1, 5, 13.9, 14, 149, 150].map(detail), ["band", "plain", "plain", "meters", "meters", "named"]);
});

test("numbered steps are far enough apart", () => {
  for (const width of [0.01, 0.3, 1, 7, 26, 300]) {
    const every = ticks(width, 24);
    assert.ok(every * width >= 24);
    assert.match(String(every), /^[125]0*$/);
  }
});

test("zooming keeps what is under the pointer, and stays on the axis", () => {
  const [from, to] = zoomed([0, 100], 100, 0.5, 25);
  assert.equal((25 - from) / (to - from), 0.25);
  assert.deepEqual(zoomed([10, 20], 100, 1000, 12), [0, 100]);
  assert.equal(zoomed([10, 20], 100, 1e-9, 12)[1] - zoomed([10, 20], 100, 1e-9, 12)[0], 3);
  assert.deepEqual(zoomed([0, 1], 1, 0.5, 0.5), [0, 1]);
});

test("panning and stepping keep the size of the window", () => {
  assert.deepEqual(panned([0, 10], 100, -5), [0, 10]);
  assert.deepEqual(panned([80, 90], 100, 50), [90, 100]);
  assert.deepEqual(holding([0, 10], 100, 5), [0, 10]);
  const [from, to] = holding([0, 10], 100, 30);
  assert.ok(from <= 30 && to >= 31 && to - from === 10);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { plane, unpacked, Values, written } from "./numbers.js";

// Numbers as the page has them: the bytes of one weight stand together.
function apart(bytes, wide) {
  const found = [];
  for (let part = 0; part < wide; part++) for (let at = part; at < bytes.length; at += wide) found.push(bytes[at]);
  return Uint8Array.from(found);
}

test("a number is written with two decimals and a true minus sign", () => {
  assert.equal(written(-0.5), "−0.50");
  assert.equal(written(-0.001), "0.00");
  assert.equal(written(24.4567), "24.46");
  assert.equal(written(3, 0), "3");
  assert.equal(written(NaN), "NaN");
  assert.equal(written(-Infinity), "−∞");
  assert.equal(written(-1234567), "−1.23e+6");
  assert.equal(written(undefined), "");
});

test("numbers of four bytes are what they were", () => {
  const numbers = Float32Array.from([0, -1.5, 3.25, NaN, Infinity]);
  assert.deepEqual([...plane(apart(new Uint8Array(numbers.buffer), 4), 0, 5)], [0, -1.5, 3.25, NaN, Infinity]);
});

test("numbers of two bytes are whole numbers of decimals", () => {
  const numbers = Int16Array.from([0, -1500, 250, -32768, 32767, -32767]);
  const found = [...plane(apart(new Uint8Array(numbers.buffer), 2), 0, 6, 3)];
  assert.deepEqual(found, [0, -1.5, 0.25, NaN, Infinity, -Infinity]);
});

test("packed bytes come back", async () => {
  const bytes = Uint8Array.from([1, 2, 250]);
  assert.deepEqual(await unpacked(` ${gzipSync(bytes).toString("base64")}\n`), bytes);
});

const numbers = Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8]); // 2 rows of the batch, 2 steps, 2 units
const bytes = apart(new Uint8Array(numbers.buffer), 4);
const data = {
  rows: [{
    steps: 2,
    slots: [
      { b: 2, n: 2, at: 0 },
      { within: 0, from: 1, n: 1 },
      { parts: [1, 0] },
      { b: 2, n: 4, at: 0, steps: [1] },
      { b: 1, n: 2, at: 0, cut: true },
      { b: 2, n: 4, k: 2, at: 0 },
      null,
    ],
  }],
};

test("a number is found by row of the batch, step and unit", () => {
  const values = new Values(data, bytes);
  assert.deepEqual([[0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1]].map((at) => values.at(0, 0, ...at)), [2, 3, 5, 8]);
  assert.equal(values.at(0, 1, 1, 0, 0), 6); // a piece
  assert.deepEqual([0, 1, 2].map((unit) => values.at(0, 2, 0, 0, unit)), [2, 1, 2]); // joined
  assert.equal(values.count(0, 2), 3);
});

test("what the page has no number of is undefined, never a number of something else", () => {
  const values = new Values(data, bytes);
  assert.equal(values.at(0, 0, 0, 2, 0), undefined);
  assert.equal(values.at(0, 0, 0, -1, 0), undefined);
  assert.equal(values.at(0, 0, 0, 0, 2), undefined);
  assert.equal(values.at(0, 3, 0, 0, 0), undefined); // no such tensor at step 0
  assert.equal(values.at(0, 3, 0, 1, 3), 4);
  assert.equal(values.at(0, 4, 1, 0, 0), undefined); // only the first row of the batch is kept
  assert.equal(values.at(0, 6, 0, 0, 0), undefined);
});

test("a mean of units stands for each of them", () => {
  const values = new Values(data, bytes);
  assert.deepEqual([0, 1, 2, 3].map((unit) => values.at(0, 5, 0, 0, unit)), [1, 1, 2, 2]);
  assert.equal(values.block(0, 5), 2);
});

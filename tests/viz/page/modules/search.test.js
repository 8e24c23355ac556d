import assert from "node:assert/strict";
import { test } from "node:test";
import { entries, nameAt, searched, stepIn } from "./search.js";

const ops = [
  { op: "Tanh", shapes: ["(batch, 13)"], box: 0 },
  { op: "Sigmoid", shapes: ["(batch, 130)"], box: 1 },
  { op: "Add", shapes: ["(batch, 52)"], box: 2 },
];
const names = [{ before: "rnn/t", after: "/lstm/j/Tanh" }, ["model/Sigmoid", "model/Sigmoid_1"], "Add"];
const data = {
  parameters: [{ name: "rnn/lstm/kernel", shape: "(41, 52)" }],
  rows: [{ runs: [[0, 0, 1]], templates: [{ ops, names }] }],
};
const list = entries(data);
const found = (query) => searched(list, query).map((entry) => entry.op);

test("names, operators and sizes are found", () => {
  assert.deepEqual(found("kernel"), ["Parameter"]);
  assert.deepEqual(found("op:tanh"), ["Tanh"]);
  assert.deepEqual(found("shape:13"), ["Tanh"]);
  assert.deepEqual(found("shape:52"), ["Parameter", "Add"]);
  assert.deepEqual(found("lstm op:tanh shape:13"), ["Tanh"]);
  assert.deepEqual(found("sigmoid_1"), ["Sigmoid"]);
  assert.deepEqual(found("nothing like it"), []);
  assert.deepEqual(found("  "), []);
  assert.deepEqual(found("shape:("), []);
});

test("a step in a query is found in the pattern of a name", () => {
  assert.deepEqual(found("rnn/t7/lstm"), ["Tanh"]);
  assert.equal(stepIn("rnn/t7/lstm"), 7);
  assert.equal(stepIn("t12"), 12);
  assert.equal(stepIn("state2"), null);
});

test("a name is that of its step", () => {
  assert.equal(nameAt(names[0], 5, [[0, 0, 9]]), "rnn/t5/lstm/j/Tanh");
  assert.equal(nameAt(names[0], null, []), "rnn/t{t}/lstm/j/Tanh");
  assert.equal(nameAt(names[1], 4, [[0, 3, 4]]), "model/Sigmoid_1");
  assert.equal(nameAt(["a", "b", "c"], 7, [[0, 2, 3], [0, 7, 7]]), "c");
  assert.equal(nameAt("Add", 1, []), "Add");
});

test("a name whose number grows by more than one from step to step has that number", () => {
  const grown = { before: "Mul_", after: "", by: 16, and: 14 };
  assert.equal(nameAt(grown, 3, []), "Mul_62");
  const rows = [{ runs: [[0, 0, 9]], templates: [{ ops: ops.slice(0, 1), names: [grown] }] }];
  const listed = entries({ parameters: [], rows });
  assert.equal(searched(listed, "mul_62").length, 1);
  assert.equal(searched(listed, "mul_63").length, 0);
});

test("an operator of a step that differs is listed with those of the others", () => {
  const first = { ...data.rows[0], runs: [[0, 0, 0], [1, 1, 9]], templates: [{ ops, names: ["rnn/t0/lstm/j/Tanh", "other", "Add"] }, { ops, names: [names[0], "Sigmoid", "Sum"] }] };
  const listed = entries({ parameters: [], rows: [first] });
  const [tanh, ...others] = searched(listed, "op:tanh");
  assert.deepEqual(others, []);
  assert.deepEqual(tanh.steps, [[0, 0, 0], [1, 1, 9]]);
  assert.deepEqual(tanh.places.map((place) => place.template), [1, 0]);
  assert.equal(listed.length, 5);
});

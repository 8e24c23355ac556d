// A cell that is wider than its window is folded as a line of text is: pieces of it stand under each other, and a wire that
// leaves one at the right goes on in the next at the left.

// How much smaller than it was laid out a folded cell is drawn at most.
const FOLDED = 0.72;

// The pieces of a cell, each from one place to another: as few as fit, as alike in width as columns of boxes allow.
export function folds({ w, boxes, sources, ports }, width, smallest) {
  if (w * smallest <= width) return [[0, w]];
  const columns = columnsOf([...boxes, ...sources, ...ports].filter((item) => item.x !== undefined));
  const edges = [0, ...columns.slice(1).map(([from], k) => (columns[k][1] + from) / 2), w];
  let found = cut(edges, width / FOLDED);
  for (let most = Math.ceil(w / found.length); most < width / FOLDED; most += 8) {
    const even = cut(edges, most);
    if (even.length <= found.length) {
      found = even;
      break;
    }
  }
  return found;
}

// Where no box stands: the columns of boxes between these places.
function columnsOf(items) {
  const found = [];
  for (const { x, w } of [...items].sort((one, other) => one.x - other.x)) {
    const last = found[found.length - 1];
    if (last && x <= last[1]) last[1] = Math.max(last[1], x + w);
    else found.push([x, x + w]);
  }
  return found;
}

// Each piece as wide as it may be; one column stays whole.
function cut(edges, most) {
  const found = [];
  let from = 0;
  for (let k = 1; k < edges.length; k++) {
    if (k + 1 < edges.length && edges[k + 1] - from <= most) continue;
    found.push([from, edges[k]]);
    from = edges[k];
  }
  return found;
}

// Whether something that reaches from one place to another is seen in a piece.
export function seen([from, to], begin, end) {
  return end >= from && begin <= to;
}

// Where a piece of a cell ends above and below: at its boxes, and at the wires that pass.
export function reach(fold, { h, boxes, sources, ports, wires }) {
  const held = [...boxes, ...sources, ...ports].filter((item) => item.x !== undefined && seen(fold, item.x, item.x + item.w));
  const ys = [...held.flatMap(({ y, h: high }) => [y, y + high]), ...wires.flatMap(({ d }) => heights(fold, d))];
  return ys.length ? [Math.min(...ys), Math.max(...ys)] : [0, h];
}

// The heights of a wire where it passes through a piece.
function heights(fold, path) {
  const found = [];
  let [x, y] = [0, 0];
  for (const [, command, numbers] of path.matchAll(/([MHC])([^MHC]+)/g)) {
    const values = numbers.trim().split(/ +/).map(Number);
    const [nx, ny] = command === "H" ? [values[0], y] : values.slice(-2);
    if (command !== "M" && seen(fold, x, nx)) found.push(y, ny);
    [x, y] = [nx, ny];
  }
  return found;
}

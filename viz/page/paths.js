// Ways through an opened cell, from one box to another.

function after(wires) {
  const found = new Map();
  for (const wire of wires) {
    const from = wire.from.join();
    if (!found.has(from)) found.set(from, []);
    found.get(from).push(wire.to.join());
  }
  return found;
}

function reached(start, next) {
  const seen = new Set([start]);
  const open = [start];
  while (open.length) {
    for (const other of next.get(open.pop()) ?? []) {
      if (!seen.has(other)) {
        seen.add(other);
        open.push(other);
      }
    }
  }
  return seen;
}

// Everything that lies on a way between two boxes, whichever comes first; empty where there is none.
export function between(wires, one, other) {
  const forward = after(wires);
  const back = after(wires.map((wire) => ({ from: wire.to, to: wire.from })));
  for (const [from, to] of [[one, other], [other, one]]) {
    const ahead = reached(from.join(), forward);
    if (ahead.has(to.join())) {
      const behind = reached(to.join(), back);
      return new Set([...ahead].filter((key) => behind.has(key)));
    }
  }
  return new Set();
}

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

// Everything on the ways from one box to another, at the same step or over several: a Map from each step to what lies on them.
// From step to step a way goes through what the earlier hands on and the later reads. It is empty where there is no way.
export function wayOver(row, templateOf, one, other) {
  if (one.step === other.step) return new Map([[one.step, between(templateOf(one.step).wires, ["box", one.box], ["box", other.box])]]);
  const back = (one.step > other.step) !== row.backward;
  const [from, to] = back ? [other, one] : [one, other];
  const by = row.backward ? -1 : 1;
  const steps = [];
  for (let step = from.step; step !== to.step + by; step += by) steps.push(step);
  const ahead = [];
  let carried = null;
  for (const step of steps) {
    const template = templateOf(step);
    const starts = carried === null ? [`box,${from.box}`] : template.sources.flatMap((source, at) => (source.kind === "state" && carried.has(source.name) ? [`source,${at}`] : []));
    const seen = new Set(starts.flatMap((start) => [...reached(start, after(template.wires))]));
    ahead.push(seen);
    carried = new Set(template.ports.filter((port, at) => port.kind === "handed" && seen.has(`port,${at}`)).map((port) => port.name));
  }
  const found = new Map();
  let wanted = null;
  for (let k = steps.length - 1; k >= 0; k--) {
    const template = templateOf(steps[k]);
    const ends = wanted === null ? [`box,${to.box}`] : template.ports.flatMap((port, at) => (port.kind === "handed" && wanted.has(port.name) ? [`port,${at}`] : []));
    const turned = after(template.wires.map((wire) => ({ from: wire.to, to: wire.from })));
    const on = new Set(ends.filter((end) => ahead[k].has(end)).flatMap((end) => [...reached(end, turned)]).filter((key) => ahead[k].has(key)));
    if (!on.size) return new Map();
    found.set(steps[k], on);
    wanted = new Set(template.sources.filter((source, at) => on.has(`source,${at}`)).map((source) => source.name));
  }
  return found;
}

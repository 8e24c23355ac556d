// The one time axis: loops that follow each other are segments of it, and a window of it is shown.

// The segments of the axis, one for the loops of each phase: where it begins, and its first step.
export function segments(all) {
  const looped = all.filter((row) => row.path);
  const rows = looped.length ? looped : all;
  const phases = [...new Set(rows.map((row) => row.phase))].sort((a, b) => a - b);
  let offset = 0;
  return phases.map((phase) => {
    const held = rows.filter((row) => row.phase === phase);
    const first = Math.min(...held.map((row) => row.first));
    const count = Math.max(...held.map((row) => row.first + row.steps)) - first;
    const found = { phase, offset, first, count };
    offset += count;
    return found;
  });
}

// The column of the first step of a row.
export function begins(row, found) {
  const segment = found.find((one) => one.phase === row.phase);
  return segment.offset + row.first - segment.first;
}

// The segment that a column lies in.
export function segmentAt(column, found) {
  return found.find((one) => column < one.offset + one.count) ?? found[found.length - 1];
}

// How a row of cells is drawn in columns of this width: from 150 on, gates have their names and the numbers of the chosen unit.
export function detail(width) {
  return width < 5 ? "band" : width < 14 ? "plain" : width < 150 ? "meters" : "named";
}

// The distance of numbered steps, so that two numbers are `room` apart at least: 1, 2, 5, 10 ...
export function ticks(width, room) {
  for (let power = 1; ; power *= 10) {
    for (const factor of [1, 2, 5]) if (power * factor * width >= room) return power * factor;
  }
}

// A window of the axis made narrower or wider, with the place `at` kept where it is.
export function zoomed([from, to], total, factor, at) {
  const size = Math.max(Math.min(3, total), Math.min(total, (to - from) * factor));
  const share = (at - from) / (to - from);
  const start = Math.max(0, Math.min(total - size, at - share * size));
  return [start, start + size];
}

// A window moved by some steps.
export function panned([from, to], total, by) {
  const size = to - from;
  const start = Math.max(0, Math.min(total - size, from + by));
  return [start, start + size];
}

// The nearest window of the same size that holds a step.
export function holding([from, to], total, step) {
  const size = to - from;
  if (size >= total || (step >= from && step + 1 <= to)) return [from, to];
  const start = step < from ? step - size * 0.1 : step + 1 - size * 0.9;
  return panned([0, size], total, Math.max(0, Math.min(total - size, start)));
}

// Where a column begins, in a row that is drawn in these places.
export function columnX(place, column) {
  return place.left + (column - place.from) * place.pitch;
}

// Searching the graph: by name, by operator ("op:Tanh") and by size ("shape:13").

// What a query asks for: words that a name holds, an operator, a size.
export function asked(query) {
  const found = { words: [], op: null, shape: null };
  for (const word of query.trim().split(/\s+/)) {
    const [, key, value] = word.match(/^(op|shape):(.*)$/i) ?? [];
    if (key?.toLowerCase() === "op") found.op = value.toLowerCase();
    else if (key?.toLowerCase() === "shape") found.shape = value.replace(/[^\w]/g, "") || null;
    else if (word) found.words.push(word.toLowerCase());
  }
  return found;
}

// Everything that can be found, each with `name`, `op`, `shape` and where it is. Operators are listed once for all steps.
export function entries(data) {
  const found = data.parameters.map((item, number) => ({ name: item.name, op: "Parameter", shape: item.shape, weight: number }));
  data.rows.forEach((row, r) => {
    const known = new Map();
    row.templates.forEach((template, number) => {
      const steps = row.runs.filter((run) => run[0] === number);
      template.ops.forEach((op, o) => {
        const name = template.names[o];
        const key = name.before === undefined ? null : [op.op, name.before, name.by, name.and, name.after, op.shapes].join();
        const place = { template: number, operator: o, steps };
        if (key !== null && known.has(key)) {
          known.get(key).places.push(place);
          known.get(key).steps = [...known.get(key).steps, ...steps];
          return;
        }
        const entry = { name, op: op.op, shape: op.shapes.join(" "), row: r, places: [place], steps };
        if (key !== null) known.set(key, entry);
        found.push(entry);
      });
    });
    joinSingle(found, r, [...known.values()]);
  });
  return found;
}

// A step that differs from all others, as the first one does, has names of its own; they are those of the others at that step.
function joinSingle(found, r, patterns) {
  const single = found.filter((entry) => entry.row === r && entry.name.before === undefined && entry.steps.length === 1 && entry.steps[0][1] === entry.steps[0][2]);
  const named = new Map(single.map((entry) => [[entry.op, entry.shape, nameAt(entry.name, entry.steps[0][1], entry.steps)].join(), entry]));
  for (const step of new Set(single.map((entry) => entry.steps[0][1]))) {
    for (const pattern of patterns) {
      const key = [pattern.op, pattern.shape, nameAt(pattern.name, step, pattern.steps)].join();
      const alone = named.get(key);
      if (alone?.steps[0][1] !== step) continue;
      pattern.places.push(...alone.places);
      pattern.steps = [...alone.steps, ...pattern.steps];
      found.splice(found.indexOf(alone), 1);
    }
  }
}

// The name of an operator at a step; its pattern, for people, where no step is given.
export function nameAt(name, step, steps) {
  if (typeof name === "string") return name;
  if (Array.isArray(name)) {
    let place = step;
    if (step === null) return name.length > 1 ? name[0] + " …" : name[0];
    let before = 0;
    for (const [, first, last] of steps) {
      if (step >= first && step <= last) {
        place = before + step - first;
        break;
      }
      before += last - first + 1;
    }
    return name[place] ?? name[0];
  }
  return name.before + (step === null ? "{t}" : (name.by ?? 1) * step + (name.and ?? 0)) + name.after;
}

function holds(name, words) {
  const texts = typeof name === "string" ? [name] : Array.isArray(name) ? name : [name.before + "\u0000" + name.after];
  return texts.some((text) => words.every((word) => text.toLowerCase().includes(word) || numbered(name, word)));
}

// Whether a word names a step of a pattern: "t7" or "rnn/t7/basic" of "rnn/t{t}/basic_lstm_cell".
function numbered(name, word) {
  if (typeof name === "string" || Array.isArray(name)) return false;
  const step = word.match(/\d+/g)?.map(Number) ?? [];
  return step.some((one) => (one - (name.and ?? 0)) % (name.by ?? 1) === 0 && (name.before + one + name.after).toLowerCase().includes(word));
}

// The entries that a query finds, the first `most`.
export function searched(list, query, most = 40) {
  const wanted = asked(query);
  if (!wanted.words.length && !wanted.op && !wanted.shape) return [];
  const size = wanted.shape === null ? null : new RegExp(`(^|\\D)${wanted.shape}(\\D|$)`, "i");
  const found = [];
  for (const entry of list) {
    if (wanted.op && !entry.op.toLowerCase().startsWith(wanted.op)) continue;
    if (size && !size.test(entry.shape)) continue;
    if (!holds(entry.name, wanted.words)) continue;
    found.push(entry);
    if (found.length === most) break;
  }
  return found;
}

// The step that a query speaks of, such as 7 of "rnn/t7/f"; null where it speaks of none.
export function stepIn(query) {
  const found = query.match(/(?:^|\/|\s)t(\d+)(?:\/|\s|$)/);
  return found ? Number(found[1]) : null;
}

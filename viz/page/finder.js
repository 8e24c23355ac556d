// The search box: what a query finds, as a list and as ticks on the axis, and going to one of it.
import { begins } from "./axis.js";
import { byId, counted, h, visible } from "./dom.js";
import { entries, nameAt, searched, stepIn } from "./search.js";

export class Finder {
  constructor(app) {
    this.app = app;
    this.list = null;
    this.best = null;
  }

  search(query) {
    this.list ??= entries(this.app.data);
    const found = searched(this.list, query);
    const step = stepIn(query);
    const all = this.hitColumns(found, step);
    this.app.hits = all;
    this.app.drawHits();
    const lines = found.slice(0, 12).map((entry) => h("li", { role: "option", tabindex: -1, onclick: () => this.go(entry, step) }, h("b", null, visible(entry.op, 20)), " ", visible(nameAt(entry.name, step, entry.steps ?? []).replace("{t}", step === null ? "…" : "{t}"), 60), h("span", { class: "m" }, " ", visible(entry.shape, 40), step === null ? often(entry.steps ?? []) : "")));
    const none = query.trim() && !found.length ? h("li", { class: "m" }, "nothing found") : null;
    byId("found").replaceChildren(...[...lines, none].filter(Boolean));
    byId("found").hidden = !lines.length && !none;
    this.best = found[0] ? () => this.go(found[0], step) : null;
  }

  hitColumns(found, step) {
    const columns = new Set();
    for (const entry of found) {
      for (const [, first, last] of entry.steps ?? []) {
        const row = this.app.data.rows[entry.row];
        const start = begins(row, this.app.segments) - row.first;
        if (step !== null && (step < first || step > last)) continue;
        const from = step ?? first;
        const to = step ?? Math.min(last, first + 4000);
        for (let at = from; at <= to; at++) columns.add(start + at);
      }
    }
    return [...columns];
  }

  go(entry, step) {
    byId("found").hidden = true;
    if (entry.weight !== undefined) {
      const r = this.app.data.rows.findIndex((row) => row.weights.includes(entry.weight));
      if (r >= 0 && r !== this.app.state.r) this.app.set({ r });
      if (this.app.state.w !== entry.weight) this.app.weight(entry.weight);
      return;
    }
    const row = this.app.data.rows[entry.row];
    const now = entry.row === this.app.state.r ? this.app.step() : row.first;
    const runs = entry.steps;
    const holds = (at) => runs.some(([, first, last]) => at >= first && at <= last);
    const at = step !== null && holds(step) ? step : holds(now) ? now : runs[0][1];
    const place = entry.places.find((one) => one.steps.some(([, first, last]) => at >= first && at <= last));
    const box = row.templates[place.template].ops[place.operator].box;
    this.app.set({ r: entry.row, t: begins(row, this.app.segments) + at - row.first, o: box });
  }
}

// At how many steps something is, where they are several.
function often(steps) {
  const count = steps.reduce((sum, [, first, last]) => sum + last - first + 1, 0);
  return count > 1 ? ` · ${counted(count, "step")}` : "";
}

// What is chosen, and every view that follows it.
import { begins, columnX, detail, holding, panned, segmentAt, segments, zoomed } from "./axis.js";
import { drawCell } from "./cell.js";
import { ramps } from "./colours.js";
import { byId, s, visible } from "./dom.js";
import { legend } from "./header.js";
import { Values, written } from "./numbers.js";
import { wayOver } from "./paths.js";
import { nameAt } from "./search.js";
import { chosen, fromLink, toLink, within } from "./selection.js";
import { drawSide } from "./side.js";
import { Strips } from "./strips.js";
import { drawPlayhead, drawRows, geometry, templateAt } from "./time.js";

export class App {
  constructor(data, bytes) {
    this.data = data;
    this.segments = segments(data.rows);
    const last = this.segments[this.segments.length - 1];
    this.columns = last.offset + last.count;
    this.weights = new Values(data, bytes);
    this.values = data.values ? this.weights : null;
    this.strips = new Strips();
    this.forget();
    this.start = null;
    this.hits = [];
    this.frame = 0;
    const start = { ...chosen(this.columns), r: this.rowAt(0, Math.min(7, this.columns - 1)) };
    this.first = start;
    this.state = within(fromLink(location.hash, start, this.columns), this.limits(start));
    this.keepRow();
  }

  limits(state) {
    const row = this.data.rows[Math.max(0, Math.min(this.data.rows.length - 1, state.r))];
    const looped = this.data.rows.filter((one) => one.path).length;
    return { rows: looped || this.data.rows.length, columns: this.columns, batch: this.data.values?.rows ?? 1, units: Math.max(1, row.units || 1) };
  }

  // The step of the chosen row that is chosen.
  step() {
    const row = this.data.rows[this.state.r];
    const step = this.state.t - begins(row, this.segments) + row.first;
    return Math.max(row.first, Math.min(row.first + row.steps - 1, step));
  }

  // The chosen row, or the first one of the segment that a column lies in.
  rowAt(r, column) {
    const { phase } = segmentAt(column, this.segments);
    if (this.data.rows[r] && !this.data.rows[r].path) return r;
    return this.data.rows[r]?.phase === phase ? r : this.data.rows.findIndex((row) => row.phase === phase);
  }

  keepRow() {
    this.state.r = this.rowAt(this.state.r, this.state.t);
  }

  cellName(row, step) {
    const template = row.templates[templateAt(row, step - row.first)];
    const runs = row.runs.filter(([at]) => row.templates[at] === template);
    if (!template.names.length) return row.path;
    const name = nameAt(template.names[0], step, runs);
    const at = name.lastIndexOf(`/${row.cell}/`);
    return at >= 0 ? name.slice(0, at + row.cell.length + 1) : row.path;
  }

  get dark() {
    return document.documentElement.classList.contains("dark");
  }

  // Choose something else, and let every view follow.
  set(change) {
    const before = this.state;
    const merged = { ...before, ...change };
    if (change.p === undefined && (change.o !== undefined || change.r !== undefined || change.w !== undefined)) merged.p = null;
    if (change.r !== undefined && change.t === undefined) merged.t = this.columnIn(merged.r, merged.t);
    this.state = within(merged, this.limits(merged));
    this.keepRow();
    this.state = within(this.state, this.limits(this.state));
    if (this.state.t !== before.t) this.state.view = holding(this.state.view, this.columns, this.state.t);
    if (this.state.r !== before.r) this.way = null;
    if (this.state.r !== before.r || this.state.t !== before.t) this.path = this.way?.get(this.step()) ?? new Set();
    this.draw(["r", "b", "g", "sat"].every((key) => this.state[key] === before[key]) && this.state.view.join() === before.view.join() && !this.followed());
  }

  // Whether something on the axis shows the chosen step or unit: arcs of attention, or numbers in cells.
  followed() {
    return this.data.rows[this.state.r].attention || detail(this.place.pitch) === "named";
  }

  columnIn(r, column) {
    const row = this.data.rows[r];
    const start = begins(row, this.segments);
    return Math.max(start, Math.min(start + row.steps - 1, column));
  }

  window(view) {
    this.state = { ...this.state, view };
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      this.drawTime();
      this.save();
    });
  }

  draw(onlyStep = false) {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.drawNow(onlyStep));
  }

  drawNow(onlyStep = false) {
    if (!byId("left").clientWidth) return; // a frame that has no size yet: when it gets one, it is drawn
    if (!onlyStep) this.drawTime();
    else drawPlayhead(this);
    drawCell(this);
    drawSide(this);
    this.drawBatch();
    this.tell();
    this.save();
  }

  drawTime() {
    this.place = geometry(this, byId("left").clientWidth);
    byId("time").style.height = (this.data.rows[this.state.r].path ? this.place.height : 0) + "px";
    byId("time").hidden = !this.data.rows[this.state.r].path;
    drawRows(this);
    this.strips.draw(this);
    drawPlayhead(this);
    this.drawHits();
  }

  drawHits() {
    const hits = byId("hits");
    const texts = this.hits.map((column) => {
      const x = columnX(this.place, column) + this.place.pitch / 2;
      return x >= this.place.left && x <= this.place.width - this.place.right ? s("path", { d: `M${x} 22v4`, stroke: "var(--odd)", "stroke-width": 2 }) : null;
    });
    hits.setAttribute("width", this.place.width);
    hits.setAttribute("height", 30);
    hits.replaceChildren(...texts.filter(Boolean));
  }

  drawBatch() {
    const kept = this.data.values;
    byId("batch").hidden = !kept || kept.rows < 2;
    if (kept) byId("row").textContent = `row ${this.state.b} of ${kept.batch.toLocaleString("en")}`;
    if (kept && kept.rows > 1) this.thumbnail();
  }

  thumbnail() {
    const canvas = byId("thumb");
    const row = this.data.rows[this.state.r];
    const track = row.tracks.find((one) => one.kind === "input");
    const image = track && this.strips.images[row.tracks.indexOf(track)];
    const paint = canvas.getContext("2d");
    paint.clearRect(0, 0, 28, 28);
    if (image) {
      paint.save();
      paint.transform(0, 1, 1, 0, 0, 0);
      paint.drawImage(image, 0, 0, 28, 28);
      paint.restore();
    }
  }

  tell() {
    const row = this.data.rows[this.state.r];
    const axis = byId("time");
    const step = this.step();
    const states = this.values ? row.tracks.filter((track) => track.kind === "state").map((track) => `${track.name} ${written(this.values.at(this.state.r, track.slot, this.state.b, step - row.first, this.state.u))}`) : [];
    axis.setAttribute("aria-valuemax", String(this.columns - 1));
    axis.setAttribute("aria-valuenow", String(this.state.t));
    axis.setAttribute("aria-valuetext", visible(`step ${step}` + (states.length ? `; unit ${this.state.u}: ${states.join(", ")}` : ""), 200));
    for (const part of document.querySelectorAll("#pipe [data-row]")) part.classList.toggle("on", Number(part.dataset.row) === this.state.r);
  }

  // Let the address say what is chosen, once hands rest: it takes a browser milliseconds to take another address.
  save() {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => {
      try {
        history.replaceState(null, "", "#" + toLink(this.state, this.columns));
      } catch {
        // in a frame without an address of its own there is nothing to restore
      }
    }, 100);
  }

  // -- hands ----------------------------------------------------------------------------------------------------------

  gate(number) {
    const gate = this.data.rows[this.state.r].tracks.filter((track) => track.kind === "gate")[number];
    if (gate) this.focus(gate.name);
  }

  focus(name) {
    this.set({ g: this.state.g === name ? null : name });
  }

  zoom(factor, at = this.state.t + 0.5) {
    this.window(zoomed(this.state.view, this.columns, factor, at));
  }

  pan(share) {
    const [from, to] = this.state.view;
    this.window(panned(this.state.view, this.columns, (to - from) * share));
  }

  play() {
    if (this.timer) {
      clearInterval(this.timer);
      this.timer = 0;
    } else this.timer = setInterval(() => this.set({ t: (this.state.t + 1) % this.columns }), 220);
    byId("play").textContent = this.timer ? "❚❚" : "▶";
    byId("play").setAttribute("aria-label", this.timer ? "Stop" : "Play");
  }

  theme(name) {
    document.documentElement.classList.toggle("dark", name === "dark");
    this.repaint();
  }

  repaint() {
    const style = getComputedStyle(document.documentElement);
    const marks = [];
    for (let k = 0; style.getPropertyValue(`--d${k}`); k++) marks.push(style.getPropertyValue(`--d${k}`).trim());
    this.ramps = ramps(this.dark, marks);
    this.strips.known.clear();
    legend(this);
    this.drawNow();
  }

  // Open a box of the cell, and dim all gates but that of a gate's box; with `along`, show all that lies between it and the one
  // opened before, be that at another step.
  open(number, along, gate) {
    const row = this.data.rows[this.state.r];
    const here = { step: this.step(), box: number };
    if (along && this.start?.r === this.state.r) {
      this.way = wayOver(row, (step) => row.templates[templateAt(row, step - row.first)], this.start, here);
      this.path = this.way.get(here.step) ?? new Set();
      this.draw();
    } else {
      this.forget();
      const opened = this.state.o !== number;
      this.start = opened ? { ...here, r: this.state.r } : null;
      this.set({ o: opened ? number : null, ...(gate === undefined ? {} : { g: opened ? gate : null }) });
    }
  }

  // Open a part of the sentence: a loop is chosen, of anything else its operators are shown.
  openPart(number) {
    const part = this.data.sentence[number];
    const whole = this.data.rows.findIndex((row) => !row.path && !row.around);
    if (part.row !== undefined) this.set({ r: part.row, t: begins(this.data.rows[part.row], this.segments), p: part.ops ? number : null, o: null });
    else if (part.ops?.length && whole >= 0) this.set({ r: whole, o: this.data.rows[whole].templates[0].ops[part.ops[part.ops.length - 1]].box });
    else if (part.ops) this.set({ p: this.state.p === number ? null : number, o: null });
  }

  forget() {
    this.path = new Set();
    this.way = null;
  }

  // Show one weight alone, and every box that reads it.
  weight(number) {
    const row = this.data.rows[this.state.r];
    const template = row.templates[templateAt(row, this.step() - row.first)];
    const chosen = this.state.w === number ? null : number;
    const reading = template.boxes.flatMap((box, at) => (box.nodes.some((node) => template.ops[node].in.some((piece) => piece?.[0] === "s" && template.sources[piece[1]].weights?.includes(number))) ? [`box,${at}`] : []));
    this.way = null;
    this.path = new Set(chosen === null ? [] : reading);
    this.set({ w: chosen });
  }

  escape() {
    this.forget();
    this.start = null;
    this.hits = [];
    this.drawHits();
    byId("keys").hidden = true;
    this.set({ g: null, o: null, w: null, p: null });
  }
}

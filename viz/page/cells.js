// The cells of a row on the time axis. What all of them have is one path each: a frame then costs as much for fifty as for one.
import { columnX } from "./axis.js";
import { s, visible } from "./dom.js";
import { dimmed } from "./selection.js";

// The room of a gate's name at the left of its bar, and of its number at the right.
const NAME = 15;
const NUMBER = 32;

// Every cell of a loop between two columns, as `mode` says: plain, with meters, or with names and numbers too.
export function cells(app, place, { loop, r, start, from, to, y, tall, wide, mode, lanes, out, into }) {
  const ink = { states: "", along: "", others: "", heads: "", tips: "", bodies: "", ended: "" };
  const bars = mode === "plain" ? [] : meters(app, loop, tall);
  const texts = [];
  for (let column = from; column < to; column++) {
    const step = column - start;
    const x = columnX(place, column) + (place.pitch - wide) / 2;
    states(app, place, ink, { loop, r, start, column, step, x, y, wide, mode, lanes });
    const middle = round(x + wide / 2);
    if (out) ink.others += `M${middle} ${y}V${y - out}`;
    ink.others += `M${middle} ${y + tall + into}V${y + tall + 1}`;
    if (mode !== "plain") ink.tips += (out ? upwards(middle, y - out) : "") + upwards(middle, y + tall + 1);
    ink.bodies += rounded(x, y, wide, tall, mode === "plain" ? 2 : 4);
    for (const bar of bars) measured(app, r, step, bar, x, y, wide, mode, texts);
    if (ended(app, r, step)) ink.ended += rounded(x, y, wide, tall, 4);
  }
  return [...drawn(ink, mode === "plain"), ...bars.map((bar) => meterOf(app, bar)), ink.ended ? s("path", { d: ink.ended, fill: "url(#ended)" }) : null, ...texts];
}

function drawn(ink, plain) {
  const line = (d, attributes) => (d ? s("path", { d, ...attributes }) : null);
  return [
    line(ink.states, { fill: "none", stroke: "var(--state)", "stroke-width": 1.6 }),
    line(ink.along, { fill: "none", stroke: "var(--state)", "stroke-width": 4, class: "along" }),
    line(ink.heads, { fill: "var(--state)" }),
    line(ink.others, { fill: "none", stroke: "var(--line)", "stroke-width": plain ? 0.7 : 1 }),
    line(ink.tips, { fill: "var(--line)" }),
    line(ink.bodies, { fill: "var(--cell)", stroke: "var(--cellline)", "stroke-width": plain ? 0.8 : 1.2, class: "cells" }),
  ];
}

function round(number) {
  return Math.round(number * 10) / 10;
}

function rounded(x, y, wide, high, r) {
  const radius = Math.min(r, wide / 2, high / 2);
  const arc = (dx, dy) => `a${round(radius)} ${round(radius)} 0 0 1 ${round(dx)} ${round(dy)}`;
  const [across, down] = [round(wide - 2 * radius), round(high - 2 * radius)];
  return `M${round(x + radius)} ${round(y)}h${across}${arc(radius, radius)}v${down}${arc(-radius, radius)}h${-across}${arc(-radius, -radius)}v${-down}z`;
}

function oblong(x, y, wide, high) {
  return `M${round(x)} ${round(y)}h${round(wide)}v${round(high)}h${-round(wide)}z`;
}

// The heads of arrows: at the end of a line that goes up, to the right, or to the left.
function upwards(x, y) {
  return `M${round(x - 2.4)} ${round(y + 5.2)}L${x} ${round(y - 0.8)}L${round(x + 2.4)} ${round(y + 5.2)}z`;
}

function sideways(x, y, by) {
  return `M${round(x - 8.4 * by)} ${round(y - 3.8)}L${round(x + 1.2 * by)} ${round(y)}L${round(x - 8.4 * by)} ${round(y + 3.8)}z`;
}

// The lines that bring a cell its states.
function states(app, place, ink, { loop, r, start, column, step, x, y, wide, mode, lanes }) {
  const { backward } = loop;
  const gap = place.pitch - wide;
  const firstOne = backward ? column === start + loop.steps - 1 : column === start;
  const room = firstOne ? gap / 2 + (start > 0 && !backward ? 0 : 12) : gap;
  const [from, to] = backward ? [x + wide + room, x + wide + 0.5] : [x - room, x - 0.5];
  const along = !firstOne && app.way?.size > 1 && r === app.state.r && onWay(app, loop, step);
  for (const lane of lanes) {
    ink[along ? "along" : "states"] += `M${round(from)} ${round(y + lane)}H${round(to)}`;
    if (!along && mode !== "plain") ink.heads += sideways(to, y + lane, backward ? -1 : 1);
  }
}

// Whether the way that is shown comes to a step from the one before it.
function onWay(app, loop, place) {
  const step = place + loop.first;
  return app.way.has(step) && app.way.has(loop.backward ? step + 1 : step - 1);
}

// Whether a step is past the length of the chosen row of the batch.
export function ended(app, r, step) {
  const mask = app.data.rows[r].mask;
  if (!mask || !app.values || !app.values.has(r, mask.slot)) return false;
  const value = app.values.at(r, mask.slot, app.state.b, step, 0);
  return value !== undefined && Boolean(value) !== mask.active;
}

// A bar for each gate, or for the first state or output where there are none.
function meters(app, loop, tall) {
  const tracks = loop.tracks.filter((track) => track.kind === "gate");
  const held = tracks.length ? tracks : ["state", "output"].flatMap((kind) => loop.tracks.filter((track) => track.kind === kind)).slice(0, 1);
  const high = (tall - 6) / Math.max(1, held.length);
  return held.map((track, k) => ({ track, top: 3 + k * high + 0.8, high: Math.max(1, high - 1.6), named: high > 10, grounds: "", marks: "" }));
}

function measured(app, r, step, bar, x, y, wide, mode, texts) {
  const at = y + bar.top;
  const named = mode === "named" && bar.named;
  const [left, room] = named ? [x + 6 + NAME, wide - 12 - NAME - NUMBER] : [x + 3, wide - 6];
  bar.grounds += oblong(left, at, room, bar.high);
  const share = app.values ? mean(app, r, bar.track, step) : 0;
  if (share > 0) bar.marks += oblong(left, at, Math.max(0.5, room * share), bar.high);
  if (named) texts.push(...meterTexts(app, r, bar.track, step, { x, y: at + bar.high / 2 + 3.6, wide }));
}

function meterOf(app, { track, grounds, marks }) {
  const known = track.color !== null && track.color !== undefined;
  const bars = [s("path", { d: grounds, fill: `var(--${known ? `g${track.color}` : "op"})` })];
  if (marks) bars.push(s("path", { d: marks, fill: `var(--${known ? `d${track.color}` : "cellline"})` }));
  return s("g", { class: dimmed(app, track.name), data: track.kind === "gate" ? { g: track.name } : null }, bars);
}

function meterTexts(app, r, track, step, { x, y, wide }) {
  const unit = Math.min(app.state.u, Math.max(0, (app.values?.count(r, track.slot) ?? 1) - 1));
  const value = app.values?.at(r, track.slot, app.state.b, step, unit);
  const look = { class: dimmed(app, track.name) ? "dim" : null, data: track.kind === "gate" ? { g: track.name } : null };
  const texts = track.name.length > 3 ? [] : [s("text", { x: x + 5, y, class: "s b meter" }, visible(track.name))];
  if (value !== undefined) texts.push(s("text", { x: x + wide - 4, y, "text-anchor": "end", class: "s meter" }, app.values.written(r, track.slot, value)));
  return [s("g", look, texts)];
}

// How far open a gate is at a step: only the length of a bar is made of this, no number.
function mean(app, r, track, step) {
  const count = app.values.count(r, track.slot);
  const end = Math.max(Math.abs(track.scale?.[0] ?? 1), Math.abs(track.scale?.[1] ?? 1)) || 1;
  const read = app.values.reader(r, track.slot, app.state.b);
  let sum = 0;
  for (let unit = 0; unit < count; unit++) sum += Math.abs(read(step, unit)) || 0;
  return Math.max(0, Math.min(1, sum / Math.max(1, count) / end));
}

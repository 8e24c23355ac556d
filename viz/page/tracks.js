// What stands beside the tracks: their names at the left, what is said of their numbers at the right.
import { s, visible } from "./dom.js";
import { written } from "./numbers.js";
import { dimmed } from "./selection.js";

// A track as high as this has room for two lines of text.
const TWO_LINES = 26;

export function trackTexts(app, place) {
  const shown = [];
  if (!app.values) {
    const text = place.narrow ? "structure only: no feeds were given" : "structure and weights only: give feeds, and every gate and state is shown here at every step";
    shown.push(s("text", { x: place.left, y: place.bottom - 8, class: "m s" }, text));
  }
  if (app.values && !place.narrow && place.tracks.length) {
    const y = place.tracks[0].y - 4;
    shown.push(s("text", { x: place.width - 50, y, "text-anchor": "end", class: "m s" }, "mean"), s("text", { x: place.width - 12, y, "text-anchor": "end", class: "m s" }, "sat."));
  }
  for (const { track, y, high, count } of place.tracks) {
    const middle = y + high / 2 + 4;
    const gate = track.kind === "gate";
    const parts = [];
    const fill = gate && track.color !== null ? `var(--g${track.color})` : "none";
    const name = visible(track.name, place.narrow ? 5 : 8);
    const width = Math.max(18, name.length * 6.6 + 8);
    if (fill !== "none") parts.push(s("rect", { x: 12, y: middle - 13, width, height: 18, rx: 4, fill }));
    parts.push(s("text", { x: 12 + width / 2, y: middle, "text-anchor": "middle", class: "b" }, name));
    if (!place.narrow && width < 40) parts.push(s("text", { x: 18 + width, y: middle, class: "m s" }, visible(track.title, 14)));
    if (!place.narrow && app.values && track.mean) parts.push(...trackNumbers(app, place, track, middle, count, high));
    shown.push(s("g", { class: dimmed(app, gate ? track.name : null), data: gate ? { g: track.name } : null }, parts));
  }
  return shown;
}

function trackNumbers(app, place, track, y, count, high) {
  const odd = track.odd ? `${track.odd.toLocaleString("en")} not finite` : "";
  if (odd && (high < TWO_LINES || track.kind === "input")) return [s("text", { x: place.width - 12, y, "text-anchor": "end", class: "odd s" }, odd)];
  if (track.kind === "input") return [s("text", { x: place.width - 12, y, "text-anchor": "end", class: "m s" }, `${count} a step`)];
  if (track.kind === "difference") return [s("text", { x: place.width - 12, y, "text-anchor": "end", class: "m s" }, `max ${track.most}`)];
  if (odd) y -= 6;
  const batch = Math.min(app.state.b, track.mean.length - 1);
  const shown = [s("text", { x: place.width - 50, y, "text-anchor": "end", class: "m s", data: { mean: track.name } }, written(track.mean[batch]))];
  const share = track.saturated?.[Math.min(app.state.b, track.saturated.length - 1)];
  if (share !== undefined) {
    const text = track.percent[Math.min(app.state.b, track.percent.length - 1)];
    shown.push(s("text", { x: place.width - 12, y, "text-anchor": "end", class: share > 0.4 ? "b s" : "m s", data: { percent: track.name } }, text));
  } else if (track.clipped) {
    const title = `colours end at ±${track.clipped}; ${track.outside} of the numbers lie beyond`;
    shown.push(s("text", { x: place.width - 12, y, "text-anchor": "end", class: "m s", data: { clipped: track.name } }, s("title", null, title), `▸${track.clipped.replace(/^0(?=\.)/, "")}`));
  }
  if (odd) shown.push(s("text", { x: place.width - 12, y: y + 12, "text-anchor": "end", class: "odd s" }, odd));
  return shown;
}

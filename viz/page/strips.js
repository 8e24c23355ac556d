// The tracks as heat strips: one pixel a unit and a step, drawn to the window. Canvas for these alone.
import { place as placeIn, rampOf } from "./colours.js";
import { byId } from "./dom.js";
import { ended } from "./time.js";
import { begins } from "./axis.js";

const MOST_LINES = 90;

export class Strips {
  constructor() {
    this.key = "";
    this.images = [];
  }

  draw(app) {
    const canvas = byId("strips");
    const { place, state } = app;
    const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
    if (canvas.width !== Math.round(place.width * ratio) || canvas.height !== Math.round(place.height * ratio)) {
      canvas.width = Math.round(place.width * ratio);
      canvas.height = Math.round(place.height * ratio);
      canvas.style.width = place.width + "px";
      canvas.style.height = place.height + "px";
    }
    const paint = canvas.getContext("2d");
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint.clearRect(0, 0, place.width, place.height);
    if (!app.values) return;
    const key = [state.r, state.b, state.sat, app.dark].join();
    if (key !== this.key) {
      this.key = key;
      this.images = place.tracks.map((one) => image(app, one.track));
    }
    const row = app.data.rows[state.r];
    const start = begins(row, app.segments);
    const from = Math.max(place.from, start);
    const to = Math.min(place.to, start + row.steps);
    if (to <= from) return;
    paint.imageSmoothingEnabled = place.pitch < 1;
    place.tracks.forEach(({ track, y, high }, number) => {
      const found = this.images[number];
      if (!found) return;
      paint.globalAlpha = state.g !== null && track.name !== state.g ? 0.22 : 1;
      const x = place.left + (from - place.from) * place.pitch;
      paint.drawImage(found, from - start, 0, to - from, found.height, x, y, (to - from) * place.pitch, high);
    });
    paint.globalAlpha = 1;
    this.hatch(app, paint, row, start, from, to);
  }

  hatch(app, paint, row, start, from, to) {
    const { place, state } = app;
    if (!row.mask || !place.tracks.length) return;
    const top = place.tracks[0].y;
    paint.strokeStyle = app.dark ? "#8a9096" : "#8a8a86";
    for (let column = Math.floor(from); column < to; column++) {
      if (!ended(app, state.r, column - start)) continue;
      const x = place.left + (column - place.from) * place.pitch;
      paint.save();
      paint.beginPath();
      paint.rect(x, top, place.pitch, place.bottom - top);
      paint.clip();
      paint.beginPath();
      for (let at = top - place.pitch; at < place.bottom; at += 7) {
        paint.moveTo(x, at + place.pitch);
        paint.lineTo(x + place.pitch, at);
      }
      paint.stroke();
      paint.restore();
    }
  }
}

// A picture of a track, one pixel a step and a unit; of very many units, one pixel for the mean of some.
function image(app, track) {
  const { values, state } = app;
  if (!values.has(state.r, track.slot)) return null;
  const steps = app.data.rows[state.r].steps;
  const count = values.count(state.r, track.slot);
  const lines = Math.min(count, MOST_LINES);
  const each = count / lines;
  const canvas = new OffscreenCanvas(steps, lines);
  const paint = canvas.getContext("2d");
  const pixels = new ImageData(steps, lines);
  const ramp = rampOf(track, app.ramps);
  const bounded = track.saturated !== null && track.saturated !== undefined;
  const [low, high] = track.scale;
  for (let step = 0; step < steps; step++) {
    for (let line = 0; line < lines; line++) {
      const value = averaged(values, state, track.slot, step, Math.floor(line * each), Math.max(Math.floor(line * each) + 1, Math.floor((line + 1) * each)));
      const at = placeIn(value, track.scale);
      if (value === undefined) continue; // this step has no such tensor
      const to = (line * steps + step) * 4;
      if (at < 0) pixels.data.set([213, 94, 0, 255], to);
      else {
        pixels.data.set(ramp.subarray(at * 4, at * 4 + 4), to);
        const near = (high - low) * 0.025 * (low < 0 ? 1 : 2);
        if (state.sat && bounded && value > low + near && value < high - near) pixels.data[to + 3] = 36;
      }
    }
  }
  paint.putImageData(pixels, 0, 0);
  return canvas;
}

function averaged(values, state, slot, step, from, to) {
  if (to - from === 1) return values.at(state.r, slot, state.b, step, from);
  let sum = 0;
  for (let unit = from; unit < to; unit++) {
    const value = values.at(state.r, slot, state.b, step, unit);
    if (value === undefined) return undefined;
    sum += value;
  }
  return sum / (to - from);
}

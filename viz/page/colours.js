// Colours of numbers: from brown over paper to blue with a sign, from paper to a gate's own colour without one.

export const ODD = "#D55E00";

function rgb(hex) {
  return [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16));
}

// 256 colours, each between two by its share.
function ramp(ends) {
  const found = new Uint8ClampedArray(256 * 4).fill(255);
  for (let k = 0; k < 256; k++) {
    const [from, to, share] = ends(k / 255);
    for (let part = 0; part < 3; part++) found[k * 4 + part] = Math.round(from[part] + (to[part] - from[part]) * share);
  }
  return found;
}

// The ramps of a theme: `signed`, `input`, and one for the mark of each gate.
export function ramps(dark, marks) {
  const paper = rgb(dark ? "#22272C" : "#F7F6F3");
  const positive = rgb(dark ? "#5B9AD0" : "#12507F");
  const negative = rgb(dark ? "#C07F3E" : "#8A4E12");
  const bent = (share) => share ** 0.8;
  const [full, most] = [rgb(dark ? "#E8E7E3" : "#3A3A3A"), dark ? 0.72 : 1];
  return {
    signed: ramp((share) => (share < 0.5 ? [paper, negative, bent(1 - 2 * share)] : [paper, positive, bent(2 * share - 1)])),
    input: ramp((share) => [paper, full, share]),
    gates: marks.map(rgb).map((mark) => ramp((share) => [paper, mark, share * most])),
  };
}

// The place of a number in a ramp, 0 to 255; -1 where it is no number.
export function place(value, [low, high]) {
  if (!Number.isFinite(value)) return -1;
  if (high <= low) return 128;
  return Math.max(0, Math.min(255, Math.round(((value - low) / (high - low)) * 255)));
}

// The colour of a number as CSS.
export function css(found, value, scale) {
  const at = place(value, scale);
  return at < 0 ? ODD : `rgb(${found[at * 4]},${found[at * 4 + 1]},${found[at * 4 + 2]})`;
}

// The ramp of a track: that of its gate's colour where it lies between 0 and 1.
export function rampOf(track, found) {
  if (track.kind === "gate" && track.color !== null && track.color !== undefined && track.scale?.[0] === 0) {
    return found.gates[track.color];
  }
  return (track.kind === "input" || track.kind === "difference") && track.scale?.[0] === 0 ? found.input : found.signed;
}

// Elements made of data. Text is only ever text: nothing here, and nothing on the page, reads markup from a string.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") for (const [key, item] of Object.entries(value)) element.dataset[key] = item;
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(3)) {
    if (child !== null && child !== undefined && child !== false && child !== "") element.append(child);
  }
  return element;
}

// An HTML element with attributes, listeners ("onclick") and children.
export function h(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

// The same of SVG.
export function s(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

export function byId(id) {
  return document.getElementById(id);
}

// A name as it can be shown: what cannot be seen is spelt out, and a very long one is cut in the middle.
export function visible(text, longest = 64) {
  const shown = String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (char) => {
    return "\\u" + char.codePointAt(0).toString(16).padStart(4, "0");
  });
  const chars = Array.from(shown);
  if (chars.length <= longest) return shown;
  const half = Math.floor(longest / 2);
  return chars.slice(0, half - 1).join("") + "…" + chars.slice(-half).join("");
}

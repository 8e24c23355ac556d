// Elements made of data. Text is only ever text: nothing here, and nothing on the page, reads markup from a string.

const SVG = "http://www.w3.org/2000/svg";
const listening = new WeakSet();

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
      listening.add(element);
    } else if (name === "data") for (const [key, item] of Object.entries(value)) element.dataset[key] = item;
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

// Let an element hold these children. What is already there and is of the same kind stays, and only what differs in it is touched:
// a browser then lays out and paints no more than that, an image is not read again, and what has the focus keeps it.
export function fill(parent, children) {
  const made = children.filter((child) => child !== null && child !== undefined);
  made.forEach((child, place) => {
    const old = parent.childNodes[place];
    if (!old) parent.append(child);
    else if (old !== child && !patched(old, child)) old.replaceWith(child);
  });
  while (parent.childNodes.length > made.length) parent.lastChild.remove();
}

// Make a node look like another one; false where it cannot. What listens by itself is put in place anew.
function patched(old, made) {
  if (old.nodeName !== made.nodeName || listening.has(old) || listening.has(made)) return false;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== made.data) old.data = made.data;
    return true;
  }
  for (const { name, value } of made.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (old.attributes.length > made.attributes.length) for (const { name } of [...old.attributes]) if (!made.hasAttribute(name)) old.removeAttribute(name);
  fill(old, [...made.childNodes]);
  return true;
}

export function byId(id) {
  return document.getElementById(id);
}

// So many of something, in words: "1 unit", "1,000 steps"; of several counts, as "8, 4 units" is.
export function counted(counts, word) {
  const all = [counts].flat();
  return `${all.map((count) => count.toLocaleString("en")).join(", ")} ${word}${all.length === 1 && all[0] === 1 ? "" : "s"}`;
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

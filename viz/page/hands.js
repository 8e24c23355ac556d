// Pointer, wheel, keys and buttons.
import { begins, panned } from "./axis.js";
import { byId } from "./dom.js";
import { sentence } from "./header.js";
import { actionOf } from "./keys.js";
import { fromLink, within } from "./selection.js";

export function pointer(app) {
  const axis = byId("time");
  const choose = (event) => {
    const box = axis.getBoundingClientRect();
    const { place } = app;
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const change = { t: Math.max(0, Math.min(app.columns - 1, Math.floor((x - place.left) / place.pitch + place.from))) };
    const line = place.rows.find((one) => y >= one.y - 12 && y < one.y + one.tall + 12 && one.row.path && inside(app, one.row, change.t));
    if (line) change.r = line.r;
    const track = place.tracks.find((one) => one.track.kind !== "input" && y >= one.y && y < one.y + one.high);
    if (track && track.count) change.u = Math.floor(((y - track.y) / track.high) * track.count);
    app.set(change);
  };
  axis.addEventListener("pointerdown", (event) => {
    const box = axis.getBoundingClientRect();
    const x = event.clientX - box.left;
    if (x < app.place.left - 8 || x > app.place.width - app.place.right + 8 || event.target.closest("[data-g]")?.closest("#net") && x < app.place.left) return;
    choose(event);
    axis.setPointerCapture(event.pointerId);
    axis.addEventListener("pointermove", choose);
    const stop = () => axis.removeEventListener("pointermove", choose);
    axis.addEventListener("pointerup", stop, { once: true });
    axis.addEventListener("pointercancel", stop, { once: true });
  });
  axis.addEventListener("wheel", (event) => {
    const box = axis.getBoundingClientRect();
    event.preventDefault();
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (sideways || event.shiftKey) app.window(panned(app.state.view, app.columns, (sideways ? event.deltaX : event.deltaY) / app.place.pitch));
    else app.zoom(Math.exp(event.deltaY * 0.0022), app.place.from + (event.clientX - box.left - app.place.left) / app.place.pitch);
  }, { passive: false });
}

function inside(app, row, column) {
  const start = begins(row, app.segments);
  return column >= start && column < start + row.steps;
}

export function clicks(app) {
  // With Shift, a browser would choose text up to what is clicked.
  document.addEventListener("mousedown", (event) => {
    if (event.shiftKey && event.target.closest("[data-box]")) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const target = event.target;
    const box = target.closest("[data-box]");
    const gate = target.closest("[data-g]");
    if (box && (!gate || box === gate || box.dataset.parts !== undefined)) {
      const within = Number(box.closest("[data-row]")?.dataset.row ?? app.state.r);
      if (within !== app.state.r) app.set({ r: within, o: null });
      app.open(Number(box.dataset.box), event.shiftKey, gate?.dataset.g);
      return;
    }
    const onAxis = target.closest("#time");
    if (gate && !(onAxis && event.clientX - byId("time").getBoundingClientRect().left >= app.place.left)) {
      app.focus(gate.dataset.g);
      return;
    }
    const name = target.closest(".rowname");
    if (name) app.set({ r: Number(name.dataset.row) });
    const weight = target.closest("[data-weight]");
    if (weight && weight.dataset.weight !== "") app.weight(Number(weight.dataset.weight));
    if (!target.closest(".search")) byId("found").hidden = true;
  });
}

export function keyboard(app, finder) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input");
    if (typing) {
      if (event.key === "Escape") {
        typing.value = "";
        finder.search("");
        typing.blur();
      } else if (event.key === "Enter") finder.best?.();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const button = event.target.closest?.("button, [data-box]");
    if (event.key === "Enter" && event.target.closest?.("[data-box]")) {
      app.open(Number(event.target.closest("[data-box]").dataset.box), event.shiftKey);
      return;
    }
    if (button && (event.key === "Enter" || event.key === " ")) return;
    const action = actionOf(event.key, app);
    if (action) {
      event.preventDefault();
      action();
    }
  });
}

export function controls(app, finder) {
  byId("before").onclick = () => app.set({ b: app.state.b - 1 });
  byId("after").onclick = () => app.set({ b: app.state.b + 1 });
  byId("play").onclick = () => app.play();
  byId("theme").onclick = () => actionOf("l", app)();
  byId("help").onclick = () => actionOf("?", app)();
  byId("q").addEventListener("input", (event) => finder.search(event.target.value));
  // On paper colours are the light ones.
  let dark = false;
  addEventListener("beforeprint", () => {
    dark = app.dark;
    if (dark) app.theme("light");
  });
  addEventListener("afterprint", () => {
    if (dark) app.theme("dark");
  });
  addEventListener("resize", () => {
    sentence(app);
    app.draw();
  });
  addEventListener("hashchange", () => {
    app.state = within(fromLink(location.hash, app.state, app.columns), app.limits(app.state));
    app.keepRow();
    app.draw();
  });
}

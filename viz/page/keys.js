// What each key does.
import { byId } from "./dom.js";

// The action of a key; undefined where it has none.
export function actionOf(key, app) {
  const { state } = app;
  const actions = {
    ArrowLeft: () => app.set({ t: state.t - 1 }),
    ArrowRight: () => app.set({ t: state.t + 1 }),
    ArrowUp: () => app.set({ u: state.u - 1 }),
    ArrowDown: () => app.set({ u: state.u + 1 }),
    Home: () => app.set({ t: 0 }),
    End: () => app.set({ t: app.columns - 1 }),
    PageUp: () => app.set({ r: state.r + 1 }),
    PageDown: () => app.set({ r: state.r - 1 }),
    "[": () => app.set({ b: state.b - 1 }),
    "]": () => app.set({ b: state.b + 1 }),
    " ": () => app.play(),
    w: () => app.zoom(0.7),
    s: () => app.zoom(1 / 0.7),
    a: () => app.pan(-0.2),
    d: () => app.pan(0.2),
    0: () => app.window([0, app.columns]),
    x: () => app.set({ sat: !state.sat }),
    l: () => {
      const theme = app.dark ? "light" : "dark";
      app.state.theme = theme;
      app.theme(theme);
    },
    "/": () => byId("q").focus(),
    "?": () => {
      byId("keys").hidden = !byId("keys").hidden;
    },
    Escape: () => app.escape(),
  };
  if (/^[1-9]$/.test(key)) return () => app.gate(Number(key) - 1);
  return Object.hasOwn(actions, key) ? actions[key] : undefined;
}

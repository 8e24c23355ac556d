// The page begins: data and numbers are read, everything is drawn, hands are listened to.
import { App } from "./app.js";
import { byId } from "./dom.js";
import { Finder } from "./finder.js";
import { clicks, controls, keyboard, pointer } from "./hands.js";
import { header, sentence } from "./header.js";
import { hover } from "./hover.js";
import { unpacked } from "./numbers.js";

async function start() {
  const data = JSON.parse(byId("data").textContent);
  const app = new App(data, await unpacked(byId("numbers").textContent));
  const prefers = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  header(app);
  sentence(app);
  pointer(app);
  clicks(app);
  const finder = new Finder(app);
  keyboard(app, finder);
  controls(app, finder);
  hover(app);
  app.theme(app.state.theme ?? prefers);
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

start();

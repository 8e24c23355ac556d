"""What shows a model in a browser: our page, Netron and Model Explorer, each opened by the same browser and timed in it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from environment import HERE

sys.path.insert(0, str(HERE.parent / "tests"))
from browser import CHROMIUM, FLAGS, Browser

#: The viewers' packages; Model Explorer reads ONNX by an extension.
REQUIREMENTS = ("netron==9.3.3", "ai-edge-model-explorer==0.1.34", "model-explorer-onnx==0.4.2")
OURS, NETRON, EXPLORER = "unroll.view", "Netron", "Model Explorer"
#: True once a viewer shows its picture.
_SEEN = {
    OURS: "document.documentElement?.dataset.ready !== undefined",
    NETRON: "document.body?.className === 'default' && document.querySelector('#canvas g.node, #canvas .node') !== null",
    EXPLORER: "document.querySelector('webgl-renderer canvas') !== null && /op node count/.test("
    "document.querySelector('info-panel')?.textContent)",
}
# Netron asks for a consent; nothing else than this machine is asked for anything.
_WATCH = """
document.cookie = `consent=${Date.now()}; path=/`;
const look = () => {
  if (!(%s)) return requestAnimationFrame(look);
  requestAnimationFrame(() => requestAnimationFrame(() => console.warn(`PICTURE ${performance.now()}`)));
};
if (window === top) requestAnimationFrame(look);
"""
_ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"


def version() -> str:
    """Return which browser it is."""
    assert CHROMIUM is not None
    done = subprocess.run([CHROMIUM, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.partition(" built")[0].strip()


class UnseenError(Exception):
    """A viewer shows no picture; the message says what happened instead."""


@contextmanager
def served(viewer: str, programs: Path, model: Path) -> Iterator[str]:
    """Yield the address at which a viewer shows a model; a page of ours is a file."""
    if viewer == OURS:
        yield model.as_uri()
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = f"http://localhost:{port}/"
    command, address = _command(viewer, programs, model, port), root
    if viewer == EXPLORER:
        address += "?data=" + urllib.parse.quote(json.dumps({"models": [{"url": str(model)}]}))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait(root, process)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _command(viewer: str, programs: Path, model: Path, port: int) -> list[str]:
    if viewer == NETRON:
        return [str(programs / "netron"), "--port", str(port), "--verbosity", "quiet", str(model)]
    asked = ["--extensions", "model_explorer_onnx", "--no_open_in_browser", "--skip_health_check", "--port", str(port)]
    return [str(programs / "model-explorer"), str(model), *asked]


def _wait(root: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise UnseenError(f"its server ends with status {process.returncode}")
        try:
            with urllib.request.urlopen(root, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise UnseenError("its server does not answer within a minute")


@contextmanager
def fresh_browser() -> Iterator[Browser]:
    """Yield a browser that has seen nothing yet."""
    browser = Browser(flags=(*FLAGS, _ALONE, "--enable-unsafe-swiftshader"))
    try:
        yield browser
    finally:
        browser.close()


def first_picture(viewer: str, address: str, longest: float) -> float:
    """Return the seconds from the request for a page to the frame that shows its picture, in a fresh browser.

    Raises:
        UnseenError: there is none within so many seconds.
    """
    with fresh_browser() as browser:
        browser.command("Page.enable", {})
        browser.command("Page.addScriptToEvaluateOnNewDocument", {"source": _WATCH % _SEEN[viewer]})
        begun = time.monotonic()
        browser.command("Page.navigate", {"url": address})
        said: list[str] = []
        while time.monotonic() - begun < longest:
            time.sleep(0.2)
            try:
                said += browser.console()
            except (AssertionError, OSError) as error:
                raise UnseenError(f"{_crash(error)} after {time.monotonic() - begun:.0f} s") from None
            for line in said:
                if "PICTURE " in line:
                    return float(line.split("PICTURE ")[1].strip('" ')) / 1000
        raise UnseenError(f"no picture within {longest:.0f} s{_errors(said)}")


def _crash(error: Exception) -> str:
    return "the tab crashes" if "crash" in str(error) else f"the browser says {str(error).splitlines()[0][:120]!r},"


def _errors(said: list[str]) -> str:
    """Return the errors among what was said on a console, but for files that lie on other machines."""
    errors = [line for line in said if line.startswith("SEVERE") and "Failed to load resource" not in line]
    return f"; its console says {errors[0][:160]!r}" if errors else ""


# Eighty frames, each of which turns the wheel, and how far apart they are.
_FRAMES = """
const done = arguments[arguments.length - 1], pans = arguments[0] === "pan";
const axis = document.getElementById("time"), box = axis.getBoundingClientRect();
const at = { clientX: box.x + box.width / 2, clientY: box.y + 60, bubbles: true, cancelable: true };
const times = [];
const frame = (now) => {
  times.push(now);
  if (times.length > 80) return done(times.slice(1).map((time, k) => time - times[k]));
  axis.dispatchEvent(new WheelEvent("wheel", { ...at, shiftKey: pans, deltaY: times.length < 41 ? -60 : 60 }));
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
"""
# Forty steps or clicks on operators, and how long after each it is painted.
_PAINTED = """
const done = arguments[arguments.length - 1], found = [], steps = arguments[0] === "step";
const boxes = () => [...document.querySelectorAll("#open [data-box]")];
const act = (k) => {
  const key = k < 20 ? "ArrowRight" : "ArrowLeft";
  if (steps) document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  else boxes()[k % boxes().length].dispatchEvent(new MouseEvent("click", { bubbles: true }));
};
const next = () => {
  if (found.length === 40) return done(found);
  const begun = performance.now();
  act(found.length);
  requestAnimationFrame(() => {
    const painted = new MessageChannel();
    painted.port1.onmessage = () => {
      found.push(performance.now() - begun);
      setTimeout(next, 37);
    };
    painted.port2.postMessage(0);
  });
};
setTimeout(next, 100);
"""


def frames(browser: Browser, movement: str) -> list[float]:
    """Return the seconds between 80 frames, each of which zooms or pans our page that is open."""
    return [one / 1000 for one in _asked(browser, _FRAMES, movement)]


def painted(browser: Browser, action: str) -> list[float]:
    """Return the seconds from each of 40 steps (``step``) or opened operators (``open``) until it is painted."""
    return [one / 1000 for one in _asked(browser, _PAINTED, action)]


def _asked(browser: Browser, script: str, argument: str) -> list[Any]:
    return list(browser.answered(script, argument))

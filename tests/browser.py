"""A real browser: headless Chromium, driven over WebDriver with the standard library alone.

What it says on its console is kept from before a page begins, so that a test can ask for it to be empty.
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

#: Where the browser and its driver are; tests of the page need both.
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--no-first-run", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-device-scale-factor=1",
)  # fmt: skip
_KEYS = {"ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015", "Escape": "\ue00c",
         "Enter": "\ue007", "Home": "\ue011", "End": "\ue010"}  # fmt: skip


class Browser:
    """One window of a browser.

    Args:
        width: how wide the window is.
        height: how high.
        dark: prefer dark colours.
        flags: what Chromium is started with.
    """

    def __init__(
        self, width: int = 1280, height: int = 800, dark: bool = False, flags: tuple[str, ...] = FLAGS
    ) -> None:
        assert CHROMIUM is not None and DRIVER is not None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._process = subprocess.Popen(
            [DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._root = f"http://127.0.0.1:{port}"
        args = [*flags, *(["--blink-settings=preferredColorScheme=0"] if dark else [])]
        options = {"binary": CHROMIUM, "args": args}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self._wait()
        made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{made['sessionId']}"
        self.resize(width, height)

    def _wait(self) -> None:
        for _ in range(200):
            try:
                self._ask("GET", "/status")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("chromedriver does not answer")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._root + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None

    def resize(self, width: int, height: int) -> None:
        """Show as much of a page as a window of this size does."""
        sizes = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", sizes)

    def command(self, name: str, parameters: dict[str, Any]) -> Any:
        """Send a command of the browser's own protocol."""
        return self._ask("POST", f"{self._session}/goog/cdp/execute", {"cmd": name, "params": parameters})

    def open(self, page: Path | str, link: str = "") -> None:
        """Open a page, and wait until it says that it is ready."""
        address = page.as_uri() if isinstance(page, Path) else page
        self._ask("POST", f"{self._session}/url", {"url": "about:blank"})
        self._ask("POST", f"{self._session}/url", {"url": f"{address}{'#' + link if link else ''}"})
        for _ in range(300):
            if self.run("return document.documentElement.dataset.ready") is not None:
                return
            time.sleep(0.05)
        raise AssertionError(f"the page is not ready; its console says {self.console()}")

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page and return what it returns; what is to be drawn is drawn before."""
        drawn = "(next) => requestAnimationFrame(() => requestAnimationFrame(next))"
        whole = "const done = arguments[arguments.length - 1]; const given = Array.from(arguments).slice(0, -1);"
        whole += f"({drawn})(() => done((function () {{ {script} }}).apply(null, given)));"
        return self.answered(whole, *arguments)

    def answered(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page and return what it gives to its last argument, a function, when it is done."""
        return self._ask("POST", f"{self._session}/execute/async", {"script": script, "args": list(arguments)})

    def enter(self, number: int) -> None:
        """Go into the so-many-th frame of the page: scripts and questions are then for it."""
        self._ask("POST", f"{self._session}/frame", {"id": number})

    def leave(self) -> None:
        """Come back from a frame to the page itself."""
        self._ask("POST", f"{self._session}/frame", {"id": None})

    def text(self, selector: str) -> str:
        """Return the text of the first element that a selector finds."""
        return str(self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector))

    def link(self) -> str:
        """Return the part of the address behind ``#``, as it is once hands have rested for a moment."""
        return str(self.run("return new Promise((done) => setTimeout(() => done(location.hash.slice(1)), 160))"))

    def texts(self, selector: str) -> list[str]:
        """Return the text of each element that a selector finds."""
        return list(
            self.run("return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)", selector)
        )

    def key(self, *names: str) -> None:
        """Press and release keys."""
        for name in names:
            char = _KEYS.get(name, name)
            strokes = [{"type": "keyDown", "value": char}, {"type": "keyUp", "value": char}]
            self._act({"type": "key", "id": "keyboard", "actions": strokes})

    def click(self, selector: str, shift: bool = False, at: tuple[int, int] = (0, 0)) -> None:
        """Click on the middle of the first element that a selector finds, or beside it."""
        place = self.run(
            "const box = document.querySelector(arguments[0]).getBoundingClientRect();"
            "return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)]",
            selector,
        )
        keys = {"type": "key", "id": "keyboard", "actions": [{"type": "keyDown", "value": "\ue008"}]}
        if shift:
            self._act(keys)
        self.drag([(place[0] + at[0], place[1] + at[1])])
        if shift:
            self._act({**keys, "actions": [{"type": "keyUp", "value": "\ue008"}]})

    def drag(self, points: list[tuple[int, int]]) -> None:
        """Press at the first point, move over the others, release."""
        moves = [{"type": "pointerMove", "duration": 20, "x": x, "y": y} for x, y in points]
        actions = [moves[0], {"type": "pointerDown", "button": 0}, *moves[1:], {"type": "pointerUp", "button": 0}]
        self._act({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions})

    def wheel(self, x: int, y: int, down: int) -> None:
        """Turn the wheel at a point."""
        turn = {"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": down, "duration": 0, "origin": "viewport"}
        self._act({"type": "wheel", "id": "wheel", "actions": [turn]})

    def _act(self, action: dict[str, Any]) -> None:
        self._ask("POST", f"{self._session}/actions", {"actions": [action]})

    def console(self) -> list[str]:
        """Return what has been said on the console since it was last asked."""
        said = self._ask("POST", f"{self._session}/se/log", {"type": "browser"})
        return [f"{one['level']}: {one['message']}" for one in said]

    def picture(self) -> bytes:
        """Return what is seen, as PNG."""
        return base64.b64decode(self._ask("GET", f"{self._session}/screenshot"))

    def close(self) -> None:
        """End the browser and its driver."""
        try:
            self._ask("DELETE", self._session)
        finally:
            self._process.terminate()
            self._process.wait(timeout=20)

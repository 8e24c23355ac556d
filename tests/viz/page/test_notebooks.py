"""A View in a notebook: a frame with the page, of any size, in as many cells; where there are no frames, a still picture."""

from __future__ import annotations

import base64
import html
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import CHROMIUM, DRIVER, Browser
from picture_networks import NETWORKS

import unroll

IN_A_BROWSER = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="Chromium or its driver is not installed on this machine: the page is not tested in a browser",
)
BEGIN = '<!doctype html><html data-ready="1"><meta charset="utf-8"><body>'


def wait_until_drawn(browser: Browser) -> str:
    """Return what the side of the page in a frame says, once there is something."""
    for _ in range(200):  # a frame that is not seen gets no animation frames, so none are waited for here
        said = browser.answered("arguments[0](document.getElementById('side')?.textContent)")
        if said:
            return str(said)
        time.sleep(0.05)
    raise AssertionError("the page in this frame is not drawn")


def long_view() -> unroll.View:
    x = unroll.placeholder([None, 1000, 4], "x")
    outputs, _ = unroll.dynamic_rnn(unroll.BasicLSTMCell(5), x)
    fed = np.random.default_rng(0).normal(size=(3, 1000, 4)).astype("f")
    return unroll.view(unroll.Graph([x], {"y": outputs}), feeds={"x": fed})


@IN_A_BROWSER
def test_two_long_views_stand_in_one_notebook(browser: Browser, tmp_path: Path) -> None:
    frame = long_view()._repr_mimebundle_()["text/html"]
    page = tmp_path / "notebook.html"
    page.write_text(f"{BEGIN}<p>{frame}</p><p>{frame}</p>", encoding="utf-8")
    browser.open(page)
    for number in (0, 1):
        browser.enter(number)
        assert "Step 7, unit 2" in wait_until_drawn(browser)
        browser.leave()


@IN_A_BROWSER
@pytest.mark.parametrize("style", ["display:none", "width:0;height:0", "width:60px;height:40px", "width:75px"])
def test_a_frame_that_has_no_room_yet_is_drawn_once_it_has(style: str, browser: Browser, tmp_path: Path) -> None:
    """A notebook makes frames before it gives them their size, and hides those of tabs that are not seen."""
    frame = unroll.view(NETWORKS["GRU"]())._repr_mimebundle_()["text/html"]
    page = tmp_path / "notebook.html"
    page.write_text(f'{BEGIN}<div id="cell" style="{style}">{frame}</div>', encoding="utf-8")
    browser.open(page)
    browser.run("return document.getElementById('cell').removeAttribute('style')")
    browser.enter(0)
    assert "rnn/gru_cell/gates/kernel" in wait_until_drawn(browser)
    assert browser.run("return document.getElementById('net').getAttribute('width') > 600")
    browser.leave()


def test_a_notebook_shows_the_page_in_a_frame_of_its_own() -> None:
    view = unroll.view(NETWORKS["GRU"]())
    bundle: dict[str, Any] = view._repr_mimebundle_()
    (inner,) = re.findall(r'srcdoc="([^"]*)"', bundle["text/html"])
    assert html.unescape(inner) == view.html
    assert 'sandbox="allow-scripts allow-downloads"' in bundle["text/html"]
    assert bundle["text/plain"].startswith("View(")


def test_a_notebook_that_is_not_trusted_has_a_still_picture_and_a_line() -> None:
    """Frames and styles are taken away there, and images stay."""
    view = unroll.view(NETWORKS["GRU"]())
    bundle: dict[str, Any] = view._repr_mimebundle_()
    assert "<svg" in bundle["image/svg+xml"]
    assert "trust this notebook" in bundle["text/plain"]
    rest = re.sub(r"<iframe.*?</iframe>|<style.*?</style>", "", bundle["text/html"], flags=re.DOTALL)
    found = re.fullmatch(
        r'<div class="([\w-]+)"><p>([^<]*)</p><img src="data:image/svg\+xml;base64,([^"]*)"[^>]*></div>', rest
    )
    assert found is not None and "trust this notebook" in found[2]
    assert base64.b64decode(found[3]).decode() == bundle["image/svg+xml"]
    assert f"<style>.{found[1]}{{display:none}}</style>" in bundle["text/html"]
    other = unroll.view(NETWORKS["peepholes"]())
    assert found[1] not in other._repr_mimebundle_()["text/html"]  # what hides one still picture hides no other


@IN_A_BROWSER
def test_a_notebook_that_is_trusted_shows_the_page_alone(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "notebook.html"
    bundle: dict[str, Any] = unroll.view(NETWORKS["GRU"]())._repr_mimebundle_()
    for inner, shown in (
        (bundle["text/html"], [True, False]),
        (re.sub("<style.*?</style>", "", bundle["text/html"]), [True, True]),
    ):
        page.write_text(f"{BEGIN}{inner}", encoding="utf-8")
        browser.open(page)
        heights = browser.run("return ['iframe', 'img'].map((name) => document.querySelector(name).clientHeight > 50)")
        assert heights == shown
